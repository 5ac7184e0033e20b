@testable import Luge

/// Makes a redo stream as a log does, without one.
struct RedoStreamMaker {
  private let incarnation: UInt64
  private(set) var stream: [UInt8] = []
  /// Commits and identifiers, as a scan should show them.
  private(set) var records: [LogRecordTarget.Found] = []

  init(incarnation: UInt64) { self.incarnation = incarnation }

  /// The LSN behind the last piece.
  var end: UInt64 { RedoFormat.firstLSN + UInt64(stream.count) }

  mutating func beginGroup(durable: UInt64) {
    var writer = InputWriter()
    writer.number(incarnation, bytes: 8)
    writer.number(durable, bytes: 8)
    writer.number(1, bytes: 8)
    append(.group, writer.bytes)
  }

  /// Up to the next block.
  mutating func pad() {
    let room = -stream.count & (RedoFormat.blockBytes - 1)
    if room == 0 { return }
    // Smaller than any piece: the pad takes a block more.
    let length = room < RedoFormat.headerBytes ? room + RedoFormat.blockBytes : room
    append(.pad, [], length: length)
  }

  mutating func append(_ kind: RedoKind, _ payload: [UInt8], length: Int? = nil) {
    let start = stream.count
    let lsn = end
    let length = length ?? RedoFormat.pieceBytes(payload: payload.count)
    var writer = InputWriter()
    writer.number(UInt64(length), bytes: 4)
    writer.number(0, bytes: 4)
    writer.number(lsn, bytes: 8)
    writer.byte(kind.rawValue)
    writer.byte(RedoFormat.version)
    writer.number(0, bytes: 2)
    writer.number(UInt64(payload.count), bytes: 4)
    writer.append(payload)
    stream += writer.bytes
    stream += [UInt8](repeating: 0, count: length - writer.bytes.count)
    Repair.piece(&stream, at: start, incarnation: incarnation)
    if kind == .commit || kind == .identifiers {
      records.append(LogRecordTarget.Found(lsn: lsn, kind: kind.rawValue, payload: payload))
    }
  }
}
