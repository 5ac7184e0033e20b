internal import EngineKit
internal import HistoryKit

/// A call log as it was read from a file.
public struct CallLog: Equatable, Sendable {
  public var calls: [LoggedCall]
  /// Bytes at the end that hold no whole record: its writer was stopped there.
  public var tornBytes = 0

  public init(_ calls: [LoggedCall]) { self.calls = calls }

  /// The file's bytes, as `CallLogWriter` would have written them.
  public var encoded: [UInt8] {
    var bytes = CallLogFormat.header
    var encoder = CallLogEncoder()
    for call in calls {
      encoder.encode(call)
      bytes += encoder.bytes
    }
    return bytes
  }

  /// Reads a log. A torn tail ends it; throws where anything else cannot be read.
  public init(reading bytes: [UInt8]) throws(CallLogError) {
    calls = []
    let head = CallLogFormat.headerBytes
    guard bytes.count >= head else { throw CallLogError("this is no call log: it is too short") }
    var decoder = CallLogDecoder(bytes, at: 0, end: bytes.count)
    guard Array(bytes[..<8]) == CallLogFormat.magic else {
      throw CallLogError("this is no call log")
    }
    decoder.position = 8
    let version = try decoder.number32()
    guard try decoder.number32() == CallLogFormat.checksum(bytes[..<12], seed: 0) else {
      throw CallLogError("the call log's header is damaged")
    }
    guard version == CallLogFormat.version else {
      throw CallLogError(
        "the call log has version \(version), and \(CallLogFormat.version) is known here")
    }
    var position = head
    while position < bytes.count {
      guard let end = try CallLog.end(ofRecordAt: position, in: bytes) else {
        tornBytes = bytes.count - position
        return
      }
      var record = CallLogDecoder(bytes, at: position + 8, end: end)
      calls.append(try record.call())
      guard record.position == end else {
        throw CallLogError("the record at \(position) is longer than what it says")
      }
      position = end
    }
  }

  /// Where the record ends; nil where the file ends before.
  private static func end(
    ofRecordAt position: Int, in bytes: [UInt8]
  ) throws(CallLogError) -> Int? {
    if bytes.count - position < CallLogFormat.recordHead { return nil }
    var decoder = CallLogDecoder(bytes, at: position, end: bytes.count)
    let length = try decoder.number32()
    guard length <= CallLogFormat.largestPayload else {
      throw CallLogError("the record at \(position) cannot have \(length) bytes")
    }
    let end = position + CallLogFormat.recordHead + Int(length)
    if end > bytes.count { return nil }
    guard
      try decoder.number32()
        == CallLogFormat.checksum(bytes[(position + 8)..<end], seed: length)
    else { throw CallLogError("the record at \(position) is damaged") }
    return end
  }
}
