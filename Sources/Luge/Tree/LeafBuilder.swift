internal import Platform

/// Makes leaves out of records in key order: at a rebuild, a split, and when images are loaded.
enum LeafBuilder {
  /// A leaf that nobody else knows yet, over `count` records whose addresses ascend by key. A nil
  /// high key makes the last leaf.
  @unsafe
  static func build(
    _ pin: Pin, _ records: UnsafePointer<UInt64>, count: Int, appendWords: Int, high: ByteView?,
    right: UInt64, flags: UInt64
  ) -> Leaf {
    let prefix = unsafe sharedPrefix(records, count)
    let highCount = high?.count ?? 0
    let keysOffset = Leaf.headsOffset + 16 * count + 8 * appendWords
    let size = (keysOffset + prefix.count + highCount + 15) & ~15
    let base = unsafe pin.allocate(size)
    unsafe WordRef.initialize(base, 0, flags)
    unsafe base.storeBytes(of: right, toByteOffset: 16, as: UInt64.self)
    unsafe store(base, 24, count)
    unsafe store(base, 28, appendWords)
    unsafe store(base, 32, prefix.count)
    unsafe store(base, 36, highCount)
    unsafe store(base, 40, high == nil ? 0 : 1)
    unsafe store(base, 44, size)
    let weight = unsafe fill(base, records, count, prefix.count)
    unsafe WordRef.initialize(base, 8, UInt64(weight))
    let appended = unsafe base + Leaf.headsOffset + 16 * count
    unsafe appended.initializeMemory(as: UInt8.self, repeating: 0, count: 8 * appendWords)
    unsafe (base + keysOffset).copyMemory(from: prefix.base, byteCount: prefix.count)
    if let high {
      unsafe (base + keysOffset + prefix.count).copyMemory(from: high.base, byteCount: highCount)
    }
    return unsafe Leaf(base)
  }

  @unsafe @inline(__always)
  private static func store(_ base: UnsafeMutableRawPointer, _ offset: Int, _ value: Int) {
    unsafe base.storeBytes(of: UInt32(value), toByteOffset: offset, as: UInt32.self)
  }

  /// Keys in order share what the first and the last share.
  @unsafe
  private static func sharedPrefix(_ records: UnsafePointer<UInt64>, _ count: Int) -> ByteView {
    guard count > 0 else { return .empty }
    let first = unsafe Record(address: records[0]).key
    let last = unsafe Record(address: records[count - 1]).key
    return unsafe ByteView(first.base, count: ByteView.commonPrefix(first, last))
  }

  /// Writes heads and words; returns the weight.
  @unsafe
  private static func fill(
    _ base: UnsafeMutableRawPointer, _ records: UnsafePointer<UInt64>, _ count: Int, _ prefix: Int
  ) -> Int {
    let heads = unsafe base + Leaf.headsOffset
    let words = unsafe heads + 8 * count
    var weight = 0
    var index = 0
    while index < count {
      let record = unsafe Record(address: records[index])
      let key = record.key
      unsafe heads.storeBytes(
        of: key.head(at: prefix), toByteOffset: 8 &* index, as: UInt64.self)
      // Words in key order are found by head and record: they need no hash.
      unsafe words.storeBytes(of: record.address, toByteOffset: 8 &* index, as: UInt64.self)
      weight &+= record.weight
      index &+= 1
    }
    return weight
  }
}
