/// The payload of a commit: the operations of one single-key write or one batch, in order, up to
/// the end of the payload.
///
///     SIZE    DESCRIPTION
///     varint  tree id
///     1       kind: 1 put, 2 delete, 3 put of a value that lies apart
///     varint  length of the key
///     n       key
///     varint  length of the value, of puts only; 16 where it lies apart
///     n       value, of puts only; a `ValueReference` where it lies apart
///
/// A piece is one commit, hence atomic by its checksum.
enum RedoPayload {
  private static let put: UInt8 = 1
  private static let delete: UInt8 = 2
  private static let putApart: UInt8 = 3

  /// One decoded operation; `key` and `value` point into the payload. Neither a value nor a
  /// reference: a delete.
  @unsafe
  struct Operation {
    var tree: UInt64
    var key: UnsafeRawBufferPointer
    var value: UnsafeRawBufferPointer?
    /// Of a value that lies apart.
    var reference: ValueReference?
    /// All of it, as it is encoded.
    var bytes: UnsafeRawBufferPointer
  }

  /// The bytes that one operation takes. `value` nil: a delete.
  @inline(__always)
  static func operationBytes(tree: UInt64, key: Int, value: Int?) -> Int {
    // Lengths of runs in memory: their sum is no overflow.
    var bytes = varintSize(tree) &+ 1 &+ varintSize(UInt64(bitPattern: Int64(key))) &+ key
    if let value { bytes &+= varintSize(UInt64(bitPattern: Int64(value))) &+ value }
    return bytes
  }

  /// One operation straight into memory of `operationBytes` bytes, not one more. `isApart`: the value is
  /// a reference.
  @unsafe @inline(__always)
  static func store(
    tree: UInt64, key: ByteView, value: ByteView?, isApart: Bool = false,
    at start: UnsafeMutableRawPointer
  ) {
    var place = unsafe storeVarint(tree, at: start)
    unsafe place.storeBytes(of: isApart ? putApart : value == nil ? delete : put, as: UInt8.self)
    unsafe place = storeVarint(UInt64(bitPattern: Int64(key.count)), at: place + 1)
    unsafe place.copyMemory(from: key.base, byteCount: key.count)
    guard let value else { return }
    unsafe place = storeVarint(UInt64(bitPattern: Int64(value.count)), at: place + key.count)
    unsafe place.copyMemory(from: value.base, byteCount: value.count)
  }

  /// The place after it.
  @unsafe @inline(__always)
  private static func storeVarint(
    _ value: UInt64, at place: UnsafeMutableRawPointer
  ) -> UnsafeMutableRawPointer {
    if value < 0x80 {
      unsafe place.storeBytes(of: UInt8(truncatingIfNeeded: value), as: UInt8.self)
      return unsafe place + 1
    }
    return unsafe storeLongVarint(value, at: place)
  }

  @unsafe @inline(never)
  private static func storeLongVarint(
    _ value: UInt64, at start: UnsafeMutableRawPointer
  ) -> UnsafeMutableRawPointer {
    var place = unsafe start
    var rest = value
    while rest >= 0x80 {
      unsafe place.storeBytes(of: UInt8(truncatingIfNeeded: rest) | 0x80, as: UInt8.self)
      unsafe place += 1
      rest >>= 7
    }
    unsafe place.storeBytes(of: UInt8(truncatingIfNeeded: rest), as: UInt8.self)
    return unsafe place + 1
  }

  /// What stands before the key: at most 21 bytes.
  @inline(__always)
  static func encodePrefix(
    tree: UInt64, key: Int, isDelete: Bool, isApart: Bool = false, into writer: inout RawWriter
  ) {
    unsafe writer.writeVarint(tree)
    unsafe writer.write(isApart ? putApart : isDelete ? delete : put)
    unsafe writer.writeVarint(UInt64(key))
  }

  /// Calls `body` with each operation. The slices are good until `body` returns.
  ///
  /// Throws `.corruption` where the bytes are not a payload, before or after some calls; never traps.
  static func decode(
    _ payload: UnsafeRawBufferPointer, lsn: UInt64,
    _ body: (Operation) throws(LugeError) -> Void
  ) throws(LugeError) {
    var reader = unsafe ByteReader(payload)
    while unsafe !reader.isAtEnd {
      guard let operation = unsafe next(&reader) else {
        throw LugeError(
          .corruption,
          "the commit at LSN \(lsn) has a good checksum and cannot be decoded",
          found: "\(payload.count) bytes of payload, bad at byte \(unsafe reader.position)")
      }
      unsafe try body(operation)
    }
  }

  private static func next(_ reader: inout ByteReader) -> Operation? {
    let start = unsafe reader.position
    guard let tree = unsafe reader.readVarint(), let kind = unsafe reader.readUInt8(),
      kind >= put && kind <= putApart, let key = unsafe reader.readCounted()
    else { return nil }
    if kind == delete {
      return unsafe Operation(tree: tree, key: key, bytes: reader.slice(from: start))
    }
    guard let value = unsafe reader.readCounted() else { return nil }
    let bytes = unsafe reader.slice(from: start)
    if kind == put { return unsafe Operation(tree: tree, key: key, value: value, bytes: bytes) }
    guard let reference = unsafe ValueReference(value) else { return nil }
    return unsafe Operation(tree: tree, key: key, reference: reference, bytes: bytes)
  }
}
