internal import CPlatform

/// What the names on a disk lead to when some of the unsynced changes of names are kept.
struct NameView {
  /// A file under a full path.
  struct Entry {
    var name: ContentSum
    var slot: Int
    var length: Int
    /// Index among the files with pending changes, or -1.
    var file: Int
  }

  /// By change of names.
  private(set) var kept: [Bool] = []
  /// Files without pending contents, and with.
  private(set) var clean: [Entry] = []
  private(set) var pending: [Entry] = []
  /// The sum of the directories' names.
  private(set) var directories = ContentSum()

  init() {}

  init(_ disk: SimulatedDisk, _ changes: [NameChange], kept: [Bool], _ fileOfSlot: [Int]) {
    self.kept = kept
    var tables = [DirectoryTable?](repeating: nil, count: disk.inodes.count)
    var slot = 0
    while slot < disk.inodes.count {
      if let inode = disk.inodes[slot], inode.isDirectory { tables[slot] = inode.durableEntries }
      slot += 1
    }
    for (place, change) in changes.enumerated() where kept[place] {
      for assignment in change.assignments {
        tables[assignment.directory]?.assign(assignment.name, assignment.target)
      }
    }
    walk(0, ContentSum(low: 1, high: 1), disk, tables, fileOfSlot)
  }

  private mutating func walk(
    _ directory: Int, _ path: ContentSum, _ disk: SimulatedDisk, _ tables: [DirectoryTable?],
    _ fileOfSlot: [Int]
  ) {
    guard let table = tables[directory] else { return }
    for entry in table.entries {
      guard let inode = disk.inode(entry.inode) else { continue }
      let start = platform_hash128(low: path.low, high: path.high)
      // The pointer is valid for the call, and for as many bytes as the name has.
      let hash = unsafe entry.name.withUnsafeBytes {
        unsafe platform_hash128_bytes(start, $0.baseAddress, $0.count)
      }
      let name = ContentSum(low: hash.low, high: hash.high)
      if inode.isDirectory {
        directories += name
        walk(inode.slot, name, disk, tables, fileOfSlot)
      } else if fileOfSlot[inode.slot] >= 0 {
        pending.append(
          Entry(name: name, slot: inode.slot, length: inode.length, file: fileOfSlot[inode.slot]))
      } else {
        clean.append(Entry(name: name, slot: inode.slot, length: inode.length, file: -1))
      }
    }
  }
}
