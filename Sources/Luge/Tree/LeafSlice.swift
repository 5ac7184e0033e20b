internal import Platform

/// The part of a leaf that lies between two bounds: the addresses at the top of its words, in key
/// order, put into a run of a reader.
///
/// The part in key order is walked as it is, and what was appended is merged into it by key heads,
/// as the leaf has them. Nothing of a record is read but the keys of appended ones, and of those
/// that share a head with one.
///
/// Safe because it is used within one pin, in which the leaf was found.
@safe struct LeafSlice {
  let leaf: Leaf
  let first: Int
  let end: Int
  let appended: UnsafeMutablePointer<Appended>
  let appendedCount: Int

  /// An appended record, and the head of its key as it would be among the sorted ones.
  ///
  /// A key without the leaf's prefix is below or above all sorted ones; it gets the least or the
  /// greatest head, and where that is a sorted key's head too, the keys are compared.
  struct Appended {
    var record: UInt64
    var head: UInt64
  }

  /// Calls `body` with the slice of `leaf` between the bounds. `near`: about where the lower one is among
  /// the entries in key order; negative when that is not known.
  static func with<Result>(
    _ leaf: Leaf, from lower: ScanBound, to upper: ScanBound, near: Int = -1,
    _ body: (LeafSlice) -> Result
  ) -> Result {
    let count = leaf.sortedCount
    let used = prefetchAppended(leaf)
    let first = lower.key.map { index($0, in: leaf, after: lower.isExclusive, near) } ?? 0
    let end = upper.key.map { index($0, in: leaf, after: !upper.isExclusive) } ?? count
    return unsafe withUnsafeTemporaryAllocation(of: Appended.self, capacity: used + 1) { buffer in
      let appended = unsafe buffer.baseAddress.unsafelyUnwrapped
      let found = unsafe sortAppended(leaf, used, appended, from: lower, to: upper)
      return body(
        unsafe LeafSlice(
          leaf: leaf, first: first, end: max(first, end), appended: appended, appendedCount: found))
    }
  }

  /// The number of sorted keys below `key`, or at it too when `after`.
  private static func index(
    _ key: [UInt8], in leaf: Leaf, after: Bool, _ near: Int = -1
  ) -> Int {
    // The array outlives the closure.
    unsafe key.withUnsafeBytes {
      let index = leaf.sortedIndex(unsafe ByteView($0), near: near)
      return index < 0 ? -1 &- index : after ? index &+ 1 : index
    }
  }

  /// The number of append words taken; their records are asked for.
  static func prefetchAppended(_ leaf: Leaf) -> Int {
    let sorted = leaf.sortedCount
    let room = leaf.appendCount
    var used = 0
    while used < room {
      let record = Leaf.record(leaf.word(sorted &+ used).load())
      if record == 0 { break }
      // The key, and mostly what is before it.
      unsafe prefetch(Record(address: record).base + Record.keyOffset)
      used &+= 1
    }
    return used
  }

  /// Asks for all of the appended records, well before they are needed.
  static func askForAppended(_ leaf: Leaf, span: Int) {
    let sorted = leaf.sortedCount
    let end = leaf.wordCount
    var index = sorted
    while index < end {
      let record = Leaf.record(leaf.word(index).load())
      if record == 0 { return }
      Record(address: record).askFar(span)
      index &+= 1
    }
  }

  /// Puts those of `used` appended records that lie between the bounds into key order. Answers how
  /// many they are.
  @unsafe
  static func sortAppended(
    _ leaf: Leaf, _ used: Int, _ appended: UnsafeMutablePointer<Appended>, from lower: ScanBound,
    to upper: ScanBound
  ) -> Int {
    let sorted = leaf.sortedCount
    let least = lower.key.map { head($0, in: leaf) } ?? 0
    let greatest = upper.key.map { head($0, in: leaf) } ?? .max
    var found = 0
    var index = 0
    while index < used {
      let record = Leaf.record(leaf.word(sorted &+ index).load())
      index &+= 1
      let key = Record(address: record).key
      let head = head(key, in: leaf)
      if head <= least || head >= greatest {
        if !(lower.admitsAbove(key) && upper.admitsBelow(key)) { continue }
      }
      let new = Appended(record: record, head: head)
      var place = found
      while place > 0 {
        let before = unsafe appended[place &- 1]
        if before.head < head { break }
        if before.head == head && isBelow(before.record, record) { break }
        unsafe appended[place] = before
        place &-= 1
      }
      unsafe appended[place] = new
      found &+= 1
    }
    return found
  }

  /// The head of a key as it would be among the sorted ones: see `Appended`.
  @inline(__always)
  private static func head(_ key: ByteView, in leaf: Leaf) -> UInt64 {
    let order = leaf.orderAgainstPrefix(key)
    return order == 0 ? key.head(at: leaf.prefixCount) : order < 0 ? 0 : .max
  }

  private static func head(_ key: [UInt8], in leaf: Leaf) -> UInt64 {
    // The array outlives the closure.
    unsafe key.withUnsafeBytes { head(unsafe ByteView($0), in: leaf) }
  }

  @inline(never)
  static func isBelow(_ left: UInt64, _ right: UInt64) -> Bool {
    ByteView.compare(Record(address: left).key, Record(address: right).key) < 0
  }

  var count: Int { end &- first &+ appendedCount }

  /// Writes the last addresses into the end of a run, as many as it takes. Answers how many.
  func fillDown(_ reader: Reader, _ run: Int) -> Int {
    let heads = unsafe leaf.heads
    var index = end
    var next = appendedCount
    var place = Reader.runCapacity
    while index > first && place > 0 {
      let word = Leaf.record(leaf.word(index &- 1).load())
      place &-= 1
      if next > 0 {
        let candidate = unsafe appended[next &- 1]
        let head = unsafe heads[index &- 1]
        if candidate.head > head
          || (candidate.head == head && !LeafSlice.isBelow(candidate.record, word))
        {
          reader.record(run, place).store(candidate.record)
          next &-= 1
          continue
        }
      }
      reader.record(run, place).store(word)
      index &-= 1
    }
    while next > 0 && place > 0 {
      next &-= 1
      place &-= 1
      reader.record(run, place).store(unsafe appended[next].record)
    }
    return Reader.runCapacity &- place
  }
}
