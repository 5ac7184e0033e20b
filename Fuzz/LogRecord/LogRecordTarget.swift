import Platform

@testable import Luge

/// The redo stream: payloads of commits, and streams of pieces in a segment file. The first byte says which.
///
/// What must hold: a payload that is accepted has one encoding; a scan of pieces that were written, and then damaged,
/// finds a prefix of them and nothing else, or reports damage; a scan of what nobody wrote under right checksums
/// stays within the stream.
final class LogRecordTarget: FuzzTarget {
  static let name = "log-record"
  static let summary =
    "payloads of commits and streams of redo pieces: hostile, torn, and there and back"
  static let longestInput = 8192

  private static let incarnation: UInt64 = 5
  private static let directory = "/db"

  init() {}

  func run(_ input: [UInt8]) throws {
    var reader = InputReader(input)
    switch reader.byte() & 3 {
    case 0: try runPayload(reader.rest())
    case 1: try runHostile(reader.rest())
    default: try runTorn(&reader)
    }
  }

  // MARK: Payloads

  private func runPayload(_ bytes: [UInt8]) throws(Finding) {
    var isAccepted = true
    var end = 0
    var again: [UInt8] = []
    do throws(LugeError) {
      // What is lent is copied within the call.
      unsafe try bytes.withUnsafeBufferPointer { (buffer) throws(LugeError) in
        unsafe try RedoPayload.decode(UnsafeRawBufferPointer(buffer), lsn: 4096) {
          (operation) throws(LugeError) in
          end += unsafe operation.bytes.count
          again += unsafe Self.encode(operation)
        }
      }
    } catch { isAccepted = false }
    // Operations before the damage were told of, whole.
    try require(end == again.count, "an operation has another length than its encoding")
    try require(again == Array(bytes.prefix(end)), "an operation has two encodings")
    try require(!isAccepted || end == bytes.count, "a payload is accepted and not read to its end")
  }

  /// One operation as the engine writes it.
  private static func encode(_ operation: RedoPayload.Operation) -> [UInt8] {
    let key = unsafe Array(operation.key)
    let reference = unsafe operation.reference?.withBytes { unsafe Array($0) }
    let value = unsafe reference ?? operation.value.map { unsafe Array($0) }
    let tree = unsafe operation.tree
    let count = RedoPayload.operationBytes(tree: tree, key: key.count, value: value?.count)
    var bytes = [UInt8](repeating: 0xEE, count: count)
    // All three arrays outlive the call, which writes `count` bytes.
    unsafe bytes.withUnsafeMutableBytes { target in
      unsafe key.withUnsafeBytes { key in
        unsafe (value ?? []).withUnsafeBytes { bytes in
          unsafe RedoPayload.store(
            tree: tree, key: ByteView(key), value: value == nil ? nil : ByteView(bytes),
            isApart: reference != nil, at: target.baseAddress!)
        }
      }
    }
    return bytes
  }

  // MARK: Streams

  struct Found: Equatable {
    var lsn: UInt64
    var kind: UInt8
    var payload: [UInt8]
  }

  /// Bytes of a segment that a stream fits into.
  private static func room(_ stream: [UInt8]) -> Int {
    max(RedoFormat.blockBytes, (stream.count + 4095) / 4096 * 4096)
  }

  /// A segment file with this stream in it.
  private static func files(_ stream: [UInt8], room: Int) throws -> any FileSystem {
    let header = RedoSegmentHeader(
      serial: 1, incarnation: incarnation, base: RedoFormat.firstLSN, payloadBytes: UInt64(room),
      superblockSequence: 1
    ).encoded()
    let gap = [UInt8](repeating: 0, count: 2048 - header.count)
    let files = InMemoryFileSystem()
    try files.createDirectory(directory)
    let file = try files.open(RedoSegmentFiles.path(directory, serial: 1), .createNew)
    try file.writeFully(header + gap + header + gap + stream, at: 0)
    file.close()
    return files
  }

  /// What a scan finds; nil where it reports damage.
  private static func scan(
    _ stream: [UInt8], room: Int, durable: UInt64, isHostile: Bool = false
  ) throws -> (result: RedoScan.Result, found: [Found])? {
    let files = try files(stream, room: room)
    var superblock = Superblock()
    superblock.sequence = 1
    superblock.redoSegmentPayload = UInt64(room)
    superblock.recoveryLSN = RedoFormat.firstLSN
    superblock.durableLSN = durable
    superblock.eras = [RedoEra(incarnation: incarnation, start: RedoFormat.firstLSN)]
    var found: [Found] = []
    do throws(LugeError) {
      // Payloads are copied within the call that lends them.
      let result = unsafe try RedoScan.run(
        files: files, directory: directory, superblock: superblock
      ) { (lsn, kind, payload) throws(LugeError) in
        found.append(Found(lsn: lsn, kind: kind.rawValue, payload: unsafe Array(payload)))
      }
      return (result, found)
    } catch {
      try require(
        error.code == .corruption || (isHostile && error.code == .unsupportedVersion),
        "an error of another kind: \(error)")
      return nil
    }
  }

  /// Bytes as a stream, each piece's place and checksum put right as far as lengths lead.
  private func runHostile(_ input: [UInt8]) throws {
    var stream = input
    var place = 0
    while place + RedoFormat.headerBytes <= stream.count {
      let length = Int(Repair.load(stream, at: place)) / 8 * 8
      if length < RedoFormat.headerBytes || length > stream.count - place { break }
      stream[place] &= 0xF8
      Self.store(RedoFormat.firstLSN + UInt64(place), &stream, at: place + 8)
      Repair.piece(&stream, at: place, incarnation: Self.incarnation)
      place += length
    }
    guard
      let (result, found) = try Self.scan(
        stream, room: Self.room(stream), durable: 0, isHostile: true)
    else {
      return
    }
    let last = RedoFormat.firstLSN + UInt64(stream.count)
    try require(result.end <= last, "a log ends behind its file")
    var former: UInt64 = 0
    for piece in found {
      try require(piece.lsn > former && piece.lsn % 8 == 0, "LSNs do not ascend")
      former = piece.lsn
      try require(piece.lsn + UInt64(piece.payload.count) < result.end, "a piece beyond the end")
    }
    try require(found.count == result.records, "\(found.count) records, \(result.records) counted")
  }

  private static func store(_ value: UInt64, _ bytes: inout [UInt8], at offset: Int) {
    for index in 0..<8 {
      bytes[offset + index] = UInt8(truncatingIfNeeded: value >> UInt64(8 * index))
    }
  }

  /// Pieces as an engine writes them, in groups; then damage. `durable` is the end of one of the groups: what is below must
  /// be found or damage be reported.
  private func runTorn(_ reader: inout InputReader) throws {
    var made = RedoStreamMaker(incarnation: Self.incarnation)
    var ends = [RedoFormat.firstLSN]
    for _ in 0...reader.below(3) {
      made.beginGroup(durable: ends[ends.count - 1])
      for _ in 0..<reader.below(6) {
        let kind: RedoKind = reader.below(5) == 4 ? .identifiers : .commit
        made.append(kind, kind == .identifiers ? Array(1...8) : reader.counted(most: 80))
      }
      made.pad()
      ends.append(made.end)
    }
    let durable = ends[reader.below(ends.count)]
    var stream = made.stream
    let room = Self.room(stream)
    guard let (whole, all) = try Self.scan(stream, room: room, durable: durable),
      all == made.records
    else {
      throw Finding("a whole log is not read back")
    }
    try require(whole.end == made.end && whole.records == all.count, "a whole log ends elsewhere")
    var isDamaged = false
    if reader.flag() {
      stream.removeLast(min(stream.count, reader.below(1 << 14)))
      isDamaged = true
    }
    while reader.remaining > 0 && !stream.isEmpty {
      stream[reader.below(stream.count)] ^= reader.byte()
      isDamaged = true
    }
    if !isDamaged { return }
    guard let (_, found) = try Self.scan(stream, room: room, durable: durable) else { return }
    try require(
      found.count <= all.count && found == Array(all.prefix(found.count)),
      "a damaged log has something else than a prefix")
    let below = all.filter { $0.lsn < durable }.count
    try require(
      found.count >= below, "\(below) durable records, \(found.count) found, no damage told")
  }
}
