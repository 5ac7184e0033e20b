internal import Platform

/// One version of one key: immutable but for two words.
///
/// ```
/// OFFSET SIZE DESCRIPTION
///      0    8 version word (VersionWord)
///      8    8 predecessor: address of the record beneath, or 0; bit 0: see `VersionChain`
///     16    4 key length in bytes
///     20    4 value length in bytes; bit 31: a tombstone, which has no value; bit 30: a reference, whose
///             value lies apart: then the length is 0, and behind the key, at a multiple of 8, come
///           8 address of the value's record; bit 0: moved since the version was committed
///           4 length of the value
///           4 CRC-32C of the value
///     24    k key
///   24+k    v value
/// ```
/// Invariants:
/// - Key and value never change once the record is published.
/// - A value that lies apart belongs to one record: from its commit until that version is dropped
///   (`retireVersion`), or the record leaves memory with its page, whose image names the value
///   then, or the cleaner puts one in its place that names a copy.
/// - The predecessor of a pending or transaction record is committed, or there is none; it changes
///   only after the record is committed, and whoever takes a record out of a word retires it.
/// - A record is in a leaf word, or the predecessor of one that is, or retired, and only one of
///   these.
///
/// Safe because a reference is only used during a pin that began while the record was reachable, or
/// by the one thread that built it and has not published it.
@safe struct Record: Equatable {
  let base: UnsafeMutableRawPointer

  static let keyOffset = 24
  static let tombstoneBit: UInt32 = 1 << 31
  static let referenceBit: UInt32 = 1 << 30

  @unsafe @inline(__always)
  init(_ base: UnsafeMutableRawPointer) { unsafe self.base = base }

  /// The record at an address taken from a shared word.
  @inline(__always)
  init(address: UInt64) {
    unsafe base = UnsafeMutableRawPointer(bitPattern: UInt(address)).unsafelyUnwrapped
  }

  @inline(__always) var address: UInt64 { unsafe UInt64(UInt(bitPattern: base)) }

  @inline(__always)
  static func == (left: Record, right: Record) -> Bool { unsafe left.base == right.base }

  /// Whether its own word says so: a batch may be committed whose records do not tell yet.
  @inline(__always)
  var isCommitted: Bool { VersionWord.state(version.load()) == VersionWord.committed }

  @inline(__always) var version: WordRef { unsafe WordRef(base, 0) }
  @inline(__always) var predecessor: WordRef { unsafe WordRef(base, 8) }
  /// Set in the predecessor word of a record that is being taken out of its chain.
  static let leaving: UInt64 = 1
  /// Address of the record beneath, or 0.
  @inline(__always) var beneath: UInt64 { predecessor.load() & ~Record.leaving }

  @inline(__always)
  var keyCount: Int { unsafe Int(base.load(fromByteOffset: 16, as: UInt32.self)) }

  @inline(__always)
  private var valueField: UInt32 { unsafe base.load(fromByteOffset: 20, as: UInt32.self) }

  @inline(__always) var isTombstone: Bool { valueField & Record.tombstoneBit != 0 }
  /// 0 where the value lies apart.
  @inline(__always)
  var valueCount: Int { Int(valueField & ~(Record.tombstoneBit | Record.referenceBit)) }
  /// Neither a tombstone nor a reference.
  @inline(__always)
  var isPlain: Bool { valueField & (Record.tombstoneBit | Record.referenceBit) == 0 }
  /// The value lies apart.
  @inline(__always) var isReference: Bool { valueField & Record.referenceBit != 0 }

  @inline(__always)
  var key: ByteView { unsafe ByteView(base + Record.keyOffset, count: keyCount) }

  /// Empty where the value lies apart.
  @inline(__always)
  var value: ByteView {
    unsafe ByteView(base + Record.keyOffset + keyCount, count: valueCount)
  }

  /// Bytes of the whole allocation.
  @inline(__always)
  var size: Int {
    isReference
      ? Record.referenceSize(key: keyCount) : Record.size(key: keyCount, value: valueCount)
  }

  /// Bytes that the entry counts for in a leaf's weight: about its size in an image.
  @inline(__always)
  var weight: Int { keyCount &+ valueCount &+ (isReference ? 8 &+ ValueReference.bytes : 8) }

  @inline(__always)
  static func size(key: Int, value: Int) -> Int { (keyOffset &+ key &+ value &+ 7) & ~7 }

  /// A new record that nobody else knows yet; a nil value makes a tombstone.
  static func build(
    _ pin: Pin, version: UInt64, key: ByteView, value: ByteView?, predecessor: UInt64 = 0
  ) -> Record {
    let valueCount = value?.count ?? 0
    let base = unsafe pin.allocate(size(key: key.count, value: valueCount))
    unsafe WordRef.initialize(base, 0, version)
    unsafe WordRef.initialize(base, 8, predecessor)
    unsafe base.storeBytes(of: UInt32(key.count), toByteOffset: 16, as: UInt32.self)
    let field = value == nil ? tombstoneBit : UInt32(valueCount)
    unsafe base.storeBytes(of: field, toByteOffset: 20, as: UInt32.self)
    unsafe (base + keyOffset).copyMemory(from: key.base, byteCount: key.count)
    if let value {
      unsafe (base + keyOffset + key.count).copyMemory(from: value.base, byteCount: valueCount)
    }
    return unsafe Record(base)
  }

  /// Whether a snapshot shows it as it is: it is committed below, and has its value.
  @inline(__always)
  func isShown(at snapshot: UInt64) -> Bool {
    let word = version.load()
    // Committed L is L and 1.
    return VersionWord.state(word) == VersionWord.committed && word &- 1 < snapshot && isPlain
  }

  /// Asks for its cache lines well before they are needed, into the second-level cache: `span` is the
  /// distance from its start to somewhere in the last of them.
  @inline(__always)
  func askFar(_ span: Int) {
    if span == 128 {
      unsafe prefetchFar(base)
      unsafe prefetchFar(base + 64)
      unsafe prefetchFar(base + 128)
      return
    }
    var offset = 0
    while offset <= span {
      unsafe prefetchFar(base + offset)
      offset &+= 64
    }
  }

  /// Frees a record that was never published.
  @inline(__always)
  func free(_ pin: Pin) { unsafe pin.free(base, size) }

  /// Keeps the record until the guard is given up, though the pin ends.
  @inline(__always)
  func protect(_ pin: Pin) -> HazardGuard { pin.protect(address) }

  /// Retires a record that can no longer be reached.
  @inline(__always)
  func retire(_ pin: Pin) { unsafe pin.retire(base, size) }
}

/// Where a record that has a value keeps its bytes, for code that is inlined into callers.
@usableFromInline
enum RecordView {
  @unsafe @inlinable @inline(__always)
  static func key(_ record: UnsafeRawPointer) -> (base: UnsafeRawPointer, count: Int) {
    unsafe (record + 24, Int(record.load(fromByteOffset: 16, as: UInt32.self)))
  }

  @unsafe @inlinable @inline(__always)
  static func value(_ record: UnsafeRawPointer) -> (base: UnsafeRawPointer, count: Int) {
    let (key, count) = unsafe key(record)
    return unsafe (key + count, Int(record.load(fromByteOffset: 20, as: UInt32.self)))
  }
}
