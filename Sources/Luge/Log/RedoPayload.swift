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
  }

  /// The bytes that one operation takes. `value` nil: a delete.
  @inline(__always)
  static func operationBytes(tree: UInt64, key: Int, value: Int?) -> Int {
    var bytes = varintSize(tree) + 1 + varintSize(UInt64(key)) + key
    if let value { bytes += varintSize(UInt64(value)) + value }
    return bytes
  }

  static func appendPut(
    tree: UInt64, key: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer,
    to writer: inout ByteWriter
  ) {
    writer.writeVarint(tree)
    writer.write(put)
    unsafe writer.writeCounted(key)
    unsafe writer.writeCounted(value)
  }

  static func appendDelete(
    tree: UInt64, key: UnsafeRawBufferPointer, to writer: inout ByteWriter
  ) {
    writer.writeVarint(tree)
    writer.write(delete)
    unsafe writer.writeCounted(key)
  }

  /// One operation straight into memory of `operationBytes`. `isApart`: the value is a reference.
  @inline(__always)
  static func encode(
    tree: UInt64, key: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer?,
    isApart: Bool = false, into writer: inout RawWriter
  ) {
    unsafe encodePrefix(
      tree: tree, key: key.count, isDelete: value == nil, isApart: isApart, into: &writer)
    unsafe writer.write(key)
    if let value = unsafe value {
      unsafe writer.writeVarint(UInt64(value.count))
      unsafe writer.write(value)
    }
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
    guard let tree = unsafe reader.readVarint(), let kind = unsafe reader.readUInt8(),
      kind >= put && kind <= putApart, let key = unsafe reader.readCounted()
    else { return nil }
    if kind == delete { return unsafe Operation(tree: tree, key: key) }
    guard let value = unsafe reader.readCounted() else { return nil }
    if kind == put { return unsafe Operation(tree: tree, key: key, value: value) }
    guard let reference = unsafe ValueReference(value) else { return nil }
    return unsafe Operation(tree: tree, key: key, reference: reference)
  }
}
