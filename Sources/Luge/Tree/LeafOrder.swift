/// The records at the top of a leaf's words, in key order, as they were when it was made.
///
/// Safe because it is used and freed within one pin, by the thread that made it.
@safe struct LeafOrder {
  private let records: UnsafeMutablePointer<UInt64>
  private(set) var count: Int
  /// All appended keys are above all others, and there are some.
  private(set) var ascending = false

  @inline(__always)
  func address(_ index: Int) -> UInt64 { unsafe records[index] }

  @inline(__always)
  func key(_ index: Int) -> ByteView { unsafe Record(address: records[index]).key }

  init(_ leaf: Leaf) {
    let sorted = leaf.sortedCount
    let room = leaf.appendCount
    // Result, then appended records, then how many sorted keys are below each.
    unsafe records = UnsafeMutablePointer<UInt64>.allocate(capacity: sorted + 3 * room + 1)
    let appended = unsafe records + (sorted + room)
    let places = unsafe appended + room
    var used = 0
    // The greatest key so far: keys that only grow are compared with it alone.
    var greatest = sorted > 0 ? Leaf.record(leaf.word(sorted &- 1).load()) : 0
    while used < room {
      let address = Leaf.record(leaf.word(sorted &+ used).load())
      if address == 0 { break }
      let key = Record(address: address).key
      if greatest == 0 || ByteView.compare(Record(address: greatest).key, key) < 0 {
        unsafe appended[used] = address
        unsafe places[used] = UInt64(sorted)
        greatest = address
      } else {
        unsafe LeafOrder.insert(address, -1 &- leaf.sortedIndex(key), appended, places, used)
      }
      used &+= 1
    }
    count = sorted &+ used
    unsafe ascending = used > 0 && places[0] == UInt64(sorted)
    var index = 0
    var next = 0
    var end = 0
    while index < sorted {
      while unsafe next < used && places[next] <= UInt64(index) {
        unsafe records[end] = appended[next]
        next &+= 1
        end &+= 1
      }
      unsafe records[end] = Leaf.record(leaf.word(index).load())
      index &+= 1
      end &+= 1
    }
    while next < used {
      unsafe records[end] = appended[next]
      next &+= 1
      end &+= 1
    }
  }

  /// Puts one more appended record among `used` that are in key order.
  @unsafe
  private static func insert(
    _ address: UInt64, _ place: Int, _ appended: UnsafeMutablePointer<UInt64>,
    _ places: UnsafeMutablePointer<UInt64>, _ used: Int
  ) {
    let key = Record(address: address).key
    var index = used
    while index > 0 {
      let before = unsafe places[index &- 1]
      if before < UInt64(place) { break }
      if before == UInt64(place),
        unsafe ByteView.compare(Record(address: appended[index &- 1]).key, key) < 0
      {
        break
      }
      unsafe appended[index] = appended[index &- 1]
      unsafe places[index] = before
      index &-= 1
    }
    unsafe appended[index] = address
    unsafe places[index] = UInt64(place)
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
