internal import Platform

// Records whose value lies apart. Layout: `Record`.

extension Record {
  /// In the address: the cleaner has put this record in the place of one that was committed before, so
  /// images that were written since the commit name another address.
  private static let moved: UInt64 = 1

  @inline(__always)
  static func referenceSize(key: Int) -> Int {
    referenceOffset(key: key) &+ ValueReference.bytes
  }

  @inline(__always)
  private static func referenceOffset(key: Int) -> Int { (keyOffset &+ key &+ 7) & ~7 }

  private var addressField: UInt64 {
    unsafe base.load(fromByteOffset: Record.referenceOffset(key: keyCount), as: UInt64.self)
  }

  /// Whether the value was moved since the commit, and the record has not left memory since.
  var isMoved: Bool { addressField & Record.moved != 0 }

  /// Where the value lies.
  var reference: ValueReference {
    let offset = Record.referenceOffset(key: keyCount)
    return ValueReference(
      address: addressField & ~Record.moved,
      length: unsafe base.load(fromByteOffset: offset &+ 8, as: UInt32.self),
      checksum: unsafe base.load(fromByteOffset: offset &+ 12, as: UInt32.self))
  }

  /// A new record, that nobody else knows yet, of a value that lies apart.
  static func build(
    _ pin: Pin, version: UInt64, key: ByteView, reference: ValueReference, predecessor: UInt64 = 0,
    isMoved: Bool = false
  ) -> Record {
    let base = unsafe pin.allocate(referenceSize(key: key.count))
    unsafe WordRef.initialize(base, 0, version)
    unsafe WordRef.initialize(base, 8, predecessor)
    unsafe base.storeBytes(of: UInt32(key.count), toByteOffset: 16, as: UInt32.self)
    unsafe base.storeBytes(of: referenceBit, toByteOffset: 20, as: UInt32.self)
    unsafe (base + keyOffset).copyMemory(from: key.base, byteCount: key.count)
    let offset = referenceOffset(key: key.count)
    unsafe base.storeBytes(
      of: isMoved ? reference.address | moved : reference.address, toByteOffset: offset,
      as: UInt64.self)
    unsafe base.storeBytes(of: reference.length, toByteOffset: offset &+ 8, as: UInt32.self)
    unsafe base.storeBytes(of: reference.checksum, toByteOffset: offset &+ 12, as: UInt32.self)
    return unsafe Record(base)
  }

  /// A new record of what was committed at `lsn`: a value, a value that lies apart, or a removal.
  static func committed(
    _ pin: Pin, lsn: UInt64, key: ByteView, value: ByteView?, reference: ValueReference?
  ) -> Record {
    let version = VersionWord.committed | VersionWord.body(lsn)
    if let reference { return build(pin, version: version, key: key, reference: reference) }
    return build(pin, version: version, key: key, value: value)
  }

  /// A new record with room for a value, which is to be filled in before anybody knows it.
  static func build(
    _ pin: Pin, key: ByteView, valueCount: Int
  ) -> (record: Record, value: UnsafeMutableRawBufferPointer) {
    let base = unsafe pin.allocate(size(key: key.count, value: valueCount))
    unsafe WordRef.initialize(base, 0, VersionWord.committed)
    unsafe WordRef.initialize(base, 8, 0)
    unsafe base.storeBytes(of: UInt32(key.count), toByteOffset: 16, as: UInt32.self)
    unsafe base.storeBytes(of: UInt32(valueCount), toByteOffset: 20, as: UInt32.self)
    unsafe (base + keyOffset).copyMemory(from: key.base, byteCount: key.count)
    let value = unsafe UnsafeMutableRawBufferPointer(
      start: base + keyOffset + key.count, count: valueCount)
    return unsafe (Record(base), value)
  }
}

extension ValueReference {
  /// The record in a value segment that holds the value, of a key of so many bytes.
  func part(key: Int) -> PagePart {
    PagePart(
      address: PageAddress(rawValue: address),
      length: ValueReference.headBytes(key: key) + Int(length))
  }

  /// Bytes of the payload that stand before the value.
  static func headBytes(key: Int) -> Int { 8 + varintSize(UInt64(key)) + key }

  /// Whose value a record holds, by its payload. Nil for bytes that are no value's. Never traps.
  static func owner(of payload: [UInt8]) -> (tree: UInt64, key: [UInt8])? {
    // The reader does not outlive the array.
    unsafe payload.withUnsafeBytes { buffer in
      var reader = unsafe ByteReader(buffer)
      guard let tree = unsafe reader.readUInt64(), let key = unsafe reader.readCounted(),
        key.count <= TreeSettings.longestKey
      else { return nil }
      return unsafe (tree, Array(key))
    }
  }

  /// The record in a value segment that holds the payload of a commit.
  var commitPart: PagePart {
    PagePart(address: PageAddress(rawValue: address), length: Int(length))
  }
}
