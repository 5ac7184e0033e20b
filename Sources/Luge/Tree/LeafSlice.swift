internal import Platform

/// The part of a leaf that lies between two bounds: the addresses at the top of its words, in key
/// order, put into a run of a reader.
///
/// The part in key order is walked as it is; append words are sorted by where they belong first.
/// Nothing of a record is read but the keys of appended ones.
///
/// Safe because it is used within one pin, in which the leaf was found.
@safe struct LeafSlice {
  private let leaf: Leaf
  private let first: Int
  private let end: Int
  private let appended: UnsafeMutablePointer<Appended>
  private let appendedCount: Int

  /// An appended record, and how many of the sorted keys are below it.
  struct Appended {
    var record: UInt64
    var place: Int
  }

  /// Calls `body` with the slice of `leaf` between the bounds.
  static func with<Result>(
    _ leaf: Leaf, from lower: ScanBound, to upper: ScanBound, _ body: (LeafSlice) -> Result
  ) -> Result {
    let count = leaf.sortedCount
    let first = lower.key.map { index($0, in: leaf, after: lower.isExclusive) } ?? 0
    let end = upper.key.map { index($0, in: leaf, after: !upper.isExclusive) } ?? count
    let used = prefetchAppended(leaf)
    return unsafe withUnsafeTemporaryAllocation(of: Appended.self, capacity: used + 1) { buffer in
      let appended = unsafe buffer.baseAddress.unsafelyUnwrapped
      var found = 0
      var index = 0
      while index < used {
        let record = Leaf.record(leaf.word(count &+ index).load())
        index &+= 1
        let key = Record(address: record).key
        let place = -1 &- leaf.sortedIndex(key)
        if place < first || place > end { continue }
        if place == first && isBelow(key, lower) { continue }
        if place == end && isAbove(key, upper) { continue }
        unsafe insert(Appended(record: record, place: place), key, appended, found)
        found &+= 1
      }
      return body(
        unsafe LeafSlice(
          leaf: leaf, first: first, end: max(first, end), appended: appended, appendedCount: found))
    }
  }

  /// The number of sorted keys below `key`, or at it too when `after`.
  private static func index(_ key: [UInt8], in leaf: Leaf, after: Bool) -> Int {
    // The array outlives the closure.
    unsafe key.withUnsafeBytes {
      let index = leaf.sortedIndex(unsafe ByteView($0))
      return index < 0 ? -1 &- index : after ? index &+ 1 : index
    }
  }

  private static func isBelow(_ key: ByteView, _ lower: ScanBound) -> Bool {
    guard let bound = lower.key else { return false }
    // The array outlives the closure.
    return unsafe bound.withUnsafeBytes {
      let order = ByteView.compare(key, unsafe ByteView($0))
      return order < 0 || (order == 0 && lower.isExclusive)
    }
  }

  private static func isAbove(_ key: ByteView, _ upper: ScanBound) -> Bool {
    guard let bound = upper.key else { return false }
    // The array outlives the closure.
    return unsafe bound.withUnsafeBytes {
      let order = ByteView.compare(key, unsafe ByteView($0))
      return order > 0 || (order == 0 && upper.isExclusive)
    }
  }

  /// The number of append words taken; their records are asked for.
  private static func prefetchAppended(_ leaf: Leaf) -> Int {
    let sorted = leaf.sortedCount
    let room = leaf.appendCount
    var used = 0
    while used < room {
      let record = Leaf.record(leaf.word(sorted &+ used).load())
      if record == 0 { break }
      unsafe prefetch(Record(address: record).base)
      used &+= 1
    }
    return used
  }

  /// Puts one more appended record among `used` that are in key order.
  @unsafe
  private static func insert(
    _ new: Appended, _ key: ByteView, _ appended: UnsafeMutablePointer<Appended>, _ used: Int
  ) {
    var index = used
    while index > 0 {
      let before = unsafe appended[index &- 1]
      if before.place < new.place { break }
      if before.place == new.place,
        ByteView.compare(Record(address: before.record).key, key) < 0
      {
        break
      }
      unsafe appended[index] = before
      index &-= 1
    }
    unsafe appended[index] = new
  }

  var count: Int { end &- first &+ appendedCount }

  /// Writes the first addresses into a run, as many as it takes. Answers how many.
  func fillUp(_ reader: Reader, _ run: Int) -> Int {
    var index = first
    var next = 0
    var filled = 0
    while filled < Reader.runCapacity {
      if unsafe next < appendedCount && appended[next].place <= index {
        reader.record(run, filled).storeRelaxed(unsafe appended[next].record)
        next &+= 1
      } else if index < end {
        reader.record(run, filled).storeRelaxed(Leaf.record(leaf.word(index).load()))
        index &+= 1
      } else {
        break
      }
      filled &+= 1
    }
    return filled
  }

  /// Writes the last addresses into the end of a run, as many as it takes. Answers how many.
  func fillDown(_ reader: Reader, _ run: Int) -> Int {
    var index = end
    var next = appendedCount
    var place = Reader.runCapacity
    while place > 0 {
      if unsafe next > 0 && appended[next &- 1].place >= index {
        next &-= 1
        place &-= 1
        reader.record(run, place).storeRelaxed(unsafe appended[next].record)
      } else if index > first {
        index &-= 1
        place &-= 1
        reader.record(run, place).storeRelaxed(Leaf.record(leaf.word(index).load()))
      } else {
        break
      }
    }
    return Reader.runCapacity &- place
  }
}
