internal import Platform

/// Makes leaves out of records in key order: at a rebuild, a split, and when images are loaded.
enum LeafBuilder {
  /// What a rebuild knows of its records without looking at them.
  @unsafe struct Known {
    /// The head of each record's key after a prefix of this length.
    var heads: UnsafePointer<UInt64>
    var prefixCount: Int
    /// Weight of all records, about.
    var weight: Int?
  }

  /// A leaf that nobody else knows yet, over `count` records whose addresses ascend by key; those of
  /// settled ones have that bit. A nil high key makes the last leaf. `ascends`: new keys are expected
  /// above all others. `settledBelow`: above the LSNs of settled ones.
  @unsafe
  static func build(
    _ pin: Pin, _ records: UnsafePointer<UInt64>, count: Int, appendWords: Int, high: ByteView?,
    right: UInt64, flags: UInt64, known: Known? = nil, ascends: Bool = false,
    settledBelow: UInt64 = .max
  ) -> Leaf {
    let prefix = unsafe sharedPrefix(records, count)
    let highCount = high?.count ?? 0
    let keysOffset = Leaf.keysOffset(sorted: count, appended: appendWords)
    let size = (keysOffset + prefix.count + highCount + 15) & ~15
    let base = unsafe pin.allocate(size)
    unsafe WordRef.initialize(base, 0, flags)
    unsafe base.storeBytes(of: right, toByteOffset: 16, as: UInt64.self)
    unsafe store(base, 24, count)
    unsafe store(base, 28, appendWords)
    unsafe store(base, 32, prefix.count)
    unsafe store(base, 36, highCount)
    unsafe store(
      base, 40, (high == nil ? 0 : Leaf.hasHighBit) | (ascends ? Leaf.ascendsBit : 0))
    unsafe store(base, 44, size)
    unsafe base.storeBytes(of: prefix.head(at: 0), toByteOffset: 48, as: UInt64.self)
    unsafe base.storeBytes(of: high?.head(at: 0) ?? .max, toByteOffset: 56, as: UInt64.self)
    let weight: Int
    if let known = unsafe known, unsafe known.prefixCount == prefix.count {
      unsafe copy(base, records, count, known.heads)
      weight = unsafe known.weight ?? weigh(records, count)
    } else {
      weight = unsafe fill(base, records, count, prefix.count)
    }
    unsafe WordRef.initialize(base, 8, UInt64(weight))
    let appended = unsafe base + Leaf.headsOffset + 16 * count
    unsafe appended.initializeMemory(as: UInt8.self, repeating: 0, count: 8 * appendWords + 8)
    unsafe WordRef.initialize(base, keysOffset - 8, settledBelow)
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
    let first = unsafe record(records, 0).key
    let last = unsafe record(records, count - 1).key
    return unsafe ByteView(first.base, count: ByteView.commonPrefix(first, last))
  }

  @unsafe @inline(__always)
  private static func record(_ records: UnsafePointer<UInt64>, _ index: Int) -> Record {
    unsafe Record(address: Leaf.record(records[index]))
  }

  /// Writes heads that are known, and words.
  @unsafe
  private static func copy(
    _ base: UnsafeMutableRawPointer, _ records: UnsafePointer<UInt64>, _ count: Int,
    _ heads: UnsafePointer<UInt64>
  ) {
    let target = unsafe base + Leaf.headsOffset
    unsafe target.copyMemory(from: heads, byteCount: 8 &* count)
    unsafe (target + 8 &* count).copyMemory(from: records, byteCount: 8 &* count)
  }

  @unsafe
  private static func weigh(_ records: UnsafePointer<UInt64>, _ count: Int) -> Int {
    var weight = 0
    var index = 0
    while index < count {
      weight &+= unsafe record(records, index).weight
      index &+= 1
    }
    return weight
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
      let record = unsafe record(records, index)
      let key = record.key
      unsafe heads.storeBytes(
        of: key.head(at: prefix), toByteOffset: 8 &* index, as: UInt64.self)
      // Words in key order are found by head and record: they need no hash.
      unsafe words.storeBytes(of: records[index], toByteOffset: 8 &* index, as: UInt64.self)
      weight &+= record.weight
      index &+= 1
    }
    return weight
  }
}
