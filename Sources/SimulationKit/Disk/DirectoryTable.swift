/// The names of one directory, in ascending byte order.
struct DirectoryTable {
  struct Entry {
    var name: [UInt8]
    /// Its slot on the disk.
    var inode: Int
  }

  private(set) var entries: [Entry] = []

  var isEmpty: Bool { entries.isEmpty }

  /// The slot that a name leads to, or nil.
  func find(_ name: [UInt8]) -> Int? { find(name.span) }

  /// The same for a name that lies within a path.
  func find(_ name: Span<UInt8>) -> Int? {
    let index = lowerBound(name)
    guard index < entries.count, DirectoryTable.areSame(entries[index].name, name) else {
      return nil
    }
    return entries[index].inode
  }

  /// Points a name to a slot, or removes it (nil). Returns what it led to before.
  @discardableResult
  mutating func assign(_ name: [UInt8], _ inode: Int?) -> Int? {
    let index = lowerBound(name.span)
    if index < entries.count, entries[index].name == name {
      let former = entries[index].inode
      if let inode {
        entries[index].inode = inode
      } else {
        entries.remove(at: index)
      }
      return former
    }
    if let inode { entries.insert(Entry(name: name, inode: inode), at: index) }
    return nil
  }

  private func lowerBound(_ name: Span<UInt8>) -> Int {
    var low = 0
    var high = entries.count
    while low < high {
      let middle = (low + high) / 2
      if DirectoryTable.precedes(entries[middle].name, name) {
        low = middle + 1
      } else {
        high = middle
      }
    }
    return low
  }

  private static func areSame(_ left: [UInt8], _ right: Span<UInt8>) -> Bool {
    if left.count != right.count { return false }
    var index = 0
    while index < left.count {
      if left[index] != right[index] { return false }
      index += 1
    }
    return true
  }

  /// Ascending byte order.
  static func precedes(_ left: [UInt8], _ right: [UInt8]) -> Bool { precedes(left, right.span) }

  private static func precedes(_ left: [UInt8], _ right: Span<UInt8>) -> Bool {
    let shared = min(left.count, right.count)
    var index = 0
    while index < shared {
      if left[index] != right[index] { return left[index] < right[index] }
      index += 1
    }
    return left.count < right.count
  }
}

/// A pending change of names: one assignment for a creation or removal, two for a rename, which
/// survives or vanishes as one.
struct NameChange {
  struct Assignment {
    /// The directory's slot.
    var directory: Int
    var name: [UInt8]
    /// The slot of what the name leads to afterwards; nil: it is gone.
    var target: Int?

    func isSameSlot(_ other: Assignment) -> Bool {
      directory == other.directory && name == other.name
    }
  }

  var sequence: UInt64
  var assignments: [Assignment]

  /// Whether this change concerns a name that `later` changes too: then `later` on disk implies
  /// this one.
  func isNeeded(by later: NameChange) -> Bool {
    for mine in assignments {
      for theirs in later.assignments where mine.isSameSlot(theirs) { return true }
    }
    return false
  }

  func touches(_ directory: Int) -> Bool {
    for assignment in assignments where assignment.directory == directory { return true }
    return false
  }
}
