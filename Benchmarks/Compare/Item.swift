/// One entry as the workloads make it: a key of 16 bytes and a value of 100 bytes that says which
/// key and which write it belongs to, so that every read can be checked.
struct Item {
  static let keySize = 16
  static let valueSize = 100
  private static let words = 12

  /// Both halves in the byte order of the key.
  let high: UInt64
  let low: UInt64
  let index: UInt64
  let version: UInt64

  /// Keys in no order.
  static func scrambled(_ index: Int, version: UInt64 = 0) -> Item {
    let index = UInt64(index)
    return Item(
      high: mix(index).bigEndian, low: index.bigEndian, index: index, version: version)
  }

  /// Keys in the order of their indices.
  static func sequential(_ index: Int) -> Item {
    let index = UInt64(index)
    return Item(high: index.bigEndian, low: mix(index).bigEndian, index: index, version: 0)
  }

  /// The finalizer of SplitMix64: a bijection.
  @inline(__always)
  static func mix(_ value: UInt64) -> UInt64 {
    var bits = value &+ 0x9E37_79B9_7F4A_7C15
    bits = (bits ^ (bits >> 30)) &* 0xBF58_476D_1CE4_E5B9
    bits = (bits ^ (bits >> 27)) &* 0x94D0_49BB_1331_11EB
    return bits ^ (bits >> 31)
  }

  @inline(__always)
  func withKey<R>(_ body: (UnsafeRawBufferPointer) throws -> R) rethrows -> R {
    try withUnsafeBytes(of: (high, low)) { try body($0) }
  }

  /// Writes the value over the first 100 bytes, which must be there.
  @inline(__always)
  func writeValue(to bytes: UnsafeMutableRawBufferPointer) {
    let seed = index &* 0x9E37_79B9 &+ version
    bytes.storeBytes(of: index, toByteOffset: 0, as: UInt64.self)
    bytes.storeBytes(of: version, toByteOffset: 8, as: UInt64.self)
    for word in 2..<Self.words {
      bytes.storeBytes(of: seed &+ UInt64(word), toByteOffset: word * 8, as: UInt64.self)
    }
    bytes.storeBytes(of: 0x6C75_6765, toByteOffset: Self.words * 8, as: UInt32.self)
  }

  @inline(__always)
  func writeKey(to bytes: UnsafeMutableRawBufferPointer) {
    bytes.storeBytes(of: high, toByteOffset: 0, as: UInt64.self)
    bytes.storeBytes(of: low, toByteOffset: 8, as: UInt64.self)
  }

  /// The version of a value that was read for this key; throws when it is another key's or torn.
  @inline(__always)
  func check(_ value: UnsafeRawBufferPointer) throws -> UInt64 {
    guard value.count == Self.valueSize, let found = Self.indexAndVersion(value),
      found.index == index
    else { throw BenchmarkError("a wrong value was read for the key of index \(index)") }
    return found.version
  }

  @inline(__always)
  fileprivate static func indexAndVersion(
    _ value: UnsafeRawBufferPointer
  ) -> (index: UInt64, version: UInt64)? {
    let index = value.loadUnaligned(fromByteOffset: 0, as: UInt64.self)
    let version = value.loadUnaligned(fromByteOffset: 8, as: UInt64.self)
    let last = value.loadUnaligned(fromByteOffset: (words - 1) * 8, as: UInt64.self)
    let tail = value.loadUnaligned(fromByteOffset: words * 8, as: UInt32.self)
    let seed = index &* 0x9E37_79B9 &+ version
    return last == seed &+ UInt64(words - 1) && tail == 0x6C75_6765 ? (index, version) : nil
  }
}

/// Checks what a scan meets: scrambled keys, strictly ascending, each with a value of its own.
struct ScanCheck {
  private(set) var count = 0
  private var former: UInt64 = 0

  @inline(__always)
  mutating func meet(key: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer) throws {
    guard key.count == Item.keySize, value.count == Item.valueSize,
      let found = Item.indexAndVersion(value)
    else { throw BenchmarkError("a scan met a malformed entry") }
    let high = UInt64(bigEndian: key.loadUnaligned(fromByteOffset: 0, as: UInt64.self))
    let low = UInt64(bigEndian: key.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
    guard low == found.index, high == Item.mix(low), count == 0 || high > former else {
      throw BenchmarkError("a scan met a wrong or misplaced entry")
    }
    former = high
    count += 1
  }
}

/// Why a comparison cannot go on.
struct BenchmarkError: Error, CustomStringConvertible {
  let description: String

  init(_ description: String) { self.description = description }
}
