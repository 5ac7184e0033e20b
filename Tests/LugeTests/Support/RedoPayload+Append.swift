@testable import Luge

/// The payload of a commit, operation by operation: written from its byte table, as the engine's own writer is compared with
/// it.
extension RedoPayload {
  static func appendPut(
    tree: UInt64, key: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer,
    to writer: inout ByteWriter
  ) {
    writer.writeVarint(tree)
    writer.write(UInt8(1))
    unsafe writer.writeCounted(key)
    unsafe writer.writeCounted(value)
  }

  static func appendDelete(
    tree: UInt64, key: UnsafeRawBufferPointer, to writer: inout ByteWriter
  ) {
    writer.writeVarint(tree)
    writer.write(UInt8(2))
    unsafe writer.writeCounted(key)
  }
}
