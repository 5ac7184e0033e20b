/// The records at the top of a leaf's words, in key order, as they were when it was made.
///
/// Safe because it is used and freed within one pin, by the thread that made it.
@safe struct LeafOrder {
  private let records: UnsafeMutablePointer<UInt64>
  private(set) var count: Int
  /// All appended keys are above all others, and there are some.
  private(set) var ascending = false

  /// Set beside an address: the record was appended.
  static let appended: UInt64 = 4

  @inline(__always)
  func address(_ index: Int) -> UInt64 { unsafe Leaf.record(records[index]) }

  /// The address with `Leaf.settled` or `appended`, where that is so.
  @inline(__always)
  func marked(_ index: Int) -> UInt64 { unsafe records[index] }

  @inline(__always)
  func key(_ index: Int) -> ByteView { Record(address: address(index)).key }

  init(_ leaf: Leaf) {
    let sorted = leaf.sortedCount
    let used = LeafSlice.prefetchAppended(leaf)
    let records = UnsafeMutablePointer<UInt64>.allocate(capacity: sorted + used + 1)
    unsafe self.records = records
    count = sorted &+ used
    unsafe withUnsafeTemporaryAllocation(of: LeafSlice.Appended.self, capacity: used + 1) {
      let appended = unsafe $0.baseAddress.unsafelyUnwrapped
      _ = unsafe LeafSlice.sortAppended(leaf, used, appended, from: .unbounded, to: .unbounded)
      ascending = unsafe LeafOrder.merge(leaf, appended, used, into: records)
    }
  }

  /// Puts the sorted records of a leaf and appended ones, which are in order, in one order. Whether all
  /// appended ones come after all sorted ones, and there are some.
  @unsafe
  private static func merge(
    _ leaf: Leaf, _ appended: UnsafePointer<LeafSlice.Appended>, _ used: Int,
    into records: UnsafeMutablePointer<UInt64>
  ) -> Bool {
    let sorted = leaf.sortedCount
    let words = unsafe leaf.words
    let heads = unsafe leaf.heads
    var ascending = false
    var index = 0
    var next = 0
    while next < used {
      let (record, head) = unsafe (appended[next].record, appended[next].head)
      while index < sorted {
        let other = unsafe heads[index]
        let word = unsafe WordRef(words, 8 &* index).load()
        if other >= head {
          if other > head || !LeafSlice.isBelow(Leaf.record(word), record) { break }
        }
        unsafe records[index &+ next] = word & (Leaf.addressMask | Leaf.settled)
        index &+= 1
      }
      if next == 0 { ascending = index == sorted }
      unsafe records[index &+ next] = record | LeafOrder.appended
      next &+= 1
    }
    while index < sorted {
      let word = unsafe WordRef(words, 8 &* index).load()
      unsafe records[index &+ next] = word & (Leaf.addressMask | Leaf.settled)
      index &+= 1
    }
    return ascending
  }

  /// The first index whose key is at or above `key` (above it, when `after`).
  func firstIndex(atOrAbove key: ByteView, after: Bool) -> Int {
    var low = 0
    var high = count
    while low < high {
      let middle = (low &+ high) >> 1
      let order = ByteView.compare(self.key(middle), key)
      if order < 0 || (order == 0 && after) { low = middle &+ 1 } else { high = middle }
    }
    return low
  }

  func free() { unsafe records.deallocate() }
}
