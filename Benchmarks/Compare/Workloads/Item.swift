/// How keys and values are made.
struct Shape: Codable, Hashable, Sendable {
  enum Order: String, Codable, Sendable {
    /// Keys in no order.
    case scrambled
    /// Keys in the order of their indices, their last 8 bytes random.
    case sequential
    /// Keys that count up: nothing but their order is in them.
    case counting
  }

  var order = Order.scrambled
  /// 8, 10 or 16.
  var keySize = 16
  /// At least 10.
  var valueSize = 100

  static let standard = Shape()

  var entrySize: Int { keySize + valueSize }
}

/// One entry as the workloads make it: the value says which key and which write it belongs to, so that
/// every read can be checked.
struct Item {
  let shape: Shape
  let index: UInt64
  let version: UInt64

  @inline(__always)
  init(_ shape: Shape, _ index: Int, version: UInt64 = 0) {
    self.shape = shape
    self.index = UInt64(index)
    self.version = version
  }

  /// The finalizer of SplitMix64: a bijection.
  @inline(__always)
  static func mix(_ value: UInt64) -> UInt64 {
    var bits = value &+ 0x9E37_79B9_7F4A_7C15
    bits = (bits ^ (bits >> 30)) &* 0xBF58_476D_1CE4_E5B9
    bits = (bits ^ (bits >> 27)) &* 0x94D0_49BB_1331_11EB
    return bits ^ (bits >> 31)
  }

  /// The first 8 bytes of the key as a number whose order is theirs: no two indices share it, but for
  /// counting keys of 16 bytes, where the last 8 are the number.
  @inline(__always)
  static func rank(_ order: Shape.Order, _ index: UInt64) -> UInt64 {
    order == .scrambled ? mix(index) : index
  }

  @inline(__always)
  func writeKey(to bytes: UnsafeMutableRawBufferPointer) {
    let rank = Self.rank(shape.order, index)
    guard bytes.count == 16 else {
      bytes.storeBytes(of: rank.bigEndian, toByteOffset: 0, as: UInt64.self)
      if bytes.count == 10 {
        bytes.storeBytes(
          of: UInt16(truncatingIfNeeded: index).bigEndian, toByteOffset: 8, as: UInt16.self)
      }
      return
    }
    let (first, second) =
      switch shape.order {
      case .scrambled: (rank, index)
      case .sequential: (rank, Self.mix(index))
      case .counting: (UInt64(0), rank)
      }
    bytes.storeBytes(of: first.bigEndian, toByteOffset: 0, as: UInt64.self)
    bytes.storeBytes(of: second.bigEndian, toByteOffset: 8, as: UInt64.self)
  }

  /// The words of a value depend on its key and its write, and on nothing else.
  @inline(__always)
  private static func seed(_ index: UInt64, _ version: UInt64) -> UInt64 {
    index &* 0x9E37_79B9 &+ version
  }

  /// Fills the value: index, version, words, and what is left of the last word.
  @inline(__always)
  func writeValue(to bytes: UnsafeMutableRawBufferPointer) {
    let seed = Self.seed(index, version)
    guard bytes.count >= 24 else { return writeSmallValue(to: bytes) }
    bytes.storeBytes(of: index, toByteOffset: 0, as: UInt64.self)
    bytes.storeBytes(of: version, toByteOffset: 8, as: UInt64.self)
    var place = 16
    while place + 8 <= bytes.count {
      bytes.storeBytes(of: seed &+ UInt64(place), toByteOffset: place, as: UInt64.self)
      place += 8
    }
    while place < bytes.count {
      bytes[place] = UInt8(truncatingIfNeeded: seed &+ UInt64(place))
      place += 1
    }
  }

  /// Four bytes of the index, four of the version, and two that bind them.
  private func writeSmallValue(to bytes: UnsafeMutableRawBufferPointer) {
    bytes.storeBytes(of: UInt32(truncatingIfNeeded: index), toByteOffset: 0, as: UInt32.self)
    bytes.storeBytes(of: UInt32(truncatingIfNeeded: version), toByteOffset: 4, as: UInt32.self)
    let seal = Self.seal(UInt32(truncatingIfNeeded: index), UInt32(truncatingIfNeeded: version))
    bytes.storeBytes(of: seal, toByteOffset: 8, as: UInt16.self)
  }

  private static func seal(_ index: UInt32, _ version: UInt32) -> UInt16 {
    UInt16(truncatingIfNeeded: mix(UInt64(index) << 32 | UInt64(version)))
  }

  /// The version of a value that was read for this key; throws when it is another key's or torn.
  @inline(__always)
  func check(_ value: Bytes) throws -> UInt64 {
    guard value.count == shape.valueSize, let found = Self.indexAndVersion(value),
      found.index == (value.count >= 24 ? index : index & 0xFFFF_FFFF)
    else { throw BenchmarkError("a wrong value was read for the key of index \(index)") }
    return found.version
  }

  /// Nil where the last whole word and the last byte do not belong to the first words.
  @inline(__always)
  static func indexAndVersion(_ value: Bytes) -> (index: UInt64, version: UInt64)? {
    guard value.count >= 24 else {
      let index = value.loadUnaligned(fromByteOffset: 0, as: UInt32.self)
      let version = value.loadUnaligned(fromByteOffset: 4, as: UInt32.self)
      let found = value.loadUnaligned(fromByteOffset: 8, as: UInt16.self)
      return found == seal(index, version) ? (UInt64(index), UInt64(version)) : nil
    }
    let index = value.loadUnaligned(fromByteOffset: 0, as: UInt64.self)
    let version = value.loadUnaligned(fromByteOffset: 8, as: UInt64.self)
    let seed = seed(index, version)
    let place = value.count & ~7 - 8
    let end = value.count - 1
    let word = value.loadUnaligned(fromByteOffset: place, as: UInt64.self)
    guard word == seed &+ UInt64(place),
      end < place + 8 || value[end] == UInt8(truncatingIfNeeded: seed &+ UInt64(end))
    else { return nil }
    return (index, version)
  }
}

/// Checks what a scan meets: keys strictly ascending, each with a value of its own.
struct ScanCheck {
  let shape: Shape
  private(set) var count = 0
  private var former: UInt64 = 0

  init(_ shape: Shape) { self.shape = shape }

  @inline(__always)
  mutating func meet(key: Bytes, value: Bytes) throws {
    guard key.count == shape.keySize, value.count == shape.valueSize,
      let found = Item.indexAndVersion(value)
    else { throw BenchmarkError("a scan met a malformed entry") }
    let place = shape.order == .counting && key.count == 16 ? 8 : 0
    let rank = UInt64(bigEndian: key.loadUnaligned(fromByteOffset: place, as: UInt64.self))
    guard rank == Item.rank(shape.order, found.index), count == 0 || rank > former else {
      throw BenchmarkError("a scan met a wrong or misplaced entry")
    }
    former = rank
    count += 1
  }
}
