@testable import Luge

// Inputs to begin with: payloads of each kind of operation, small streams, and recipes for torn ones.
extension LogRecordTarget {
  func seeds() -> [[UInt8]] {
    var payload = ByteWriter()
    Self.append(7, [1, 2, 3], [4, 5], to: &payload)
    Self.append(300, [], nil, to: &payload)
    Self.append(7, Array("key".utf8), [UInt8](repeating: 9, count: 140), to: &payload)
    var apart = payload.bytes
    // Tree 7, kind 3, a key of one byte, a reference.
    apart += [7, 3, 1, 0x61, 16, 8, 0, 0, 0, 1, 0, 0, 0, 100, 0, 0, 0, 1, 2, 3, 4]
    var stream = RedoStreamMaker(incarnation: 5)
    stream.beginGroup(durable: 4096)
    stream.append(.commit, apart)
    stream.append(.identifiers, Array(1...8))
    stream.append(.commitApart, Array(apart.suffix(16)))
    return [
      [0] + payload.bytes, [0] + apart, [1] + stream.stream,
      [2, 2, 3, 0, 2, 9, 9, 4, 0, 1, 7, 1, 1, 5, 2, 0, 0], [2, 1, 5, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1],
      [2, 0, 2, 0, 1, 65, 1, 1, 0, 40, 0, 200, 3], [2, 2, 1, 0, 0, 1, 0, 0, 2, 1, 0, 16],
    ]
  }

  private static func append(
    _ tree: UInt64, _ key: [UInt8], _ value: [UInt8]?, to writer: inout ByteWriter
  ) {
    writer.writeVarint(tree)
    writer.write(UInt8(value == nil ? 2 : 1))
    // The arrays outlive the calls.
    unsafe key.withUnsafeBytes { unsafe writer.writeCounted($0) }
    if let value { unsafe value.withUnsafeBytes { unsafe writer.writeCounted($0) } }
  }
}
