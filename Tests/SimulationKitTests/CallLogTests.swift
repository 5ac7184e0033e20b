import EngineKit
import HistoryKit
import Platform
import PlatformTestSupport
import Testing

@testable import SimulationKit

@Suite struct CallLogTests {
  /// One of each kind of record, operation and outcome.
  private static let everything: [LoggedCall] =
    [
      .createDirectory(path: "/d"), .open(handle: 1, path: "/d/a", creates: true), .settled,
      .mark(.subject(engine: "luge", directory: "/d", settings: EngineSettings())),
      .mark(
        .subject(
          engine: "other", directory: "/d",
          settings: EngineSettings.tiny(background: 1_000_000))),
      .mark(
        .subject(
          engine: "luge", directory: "/d", settings: EngineSettings(compression: .strong))),
      .mark(.opened), .write(handle: 1, offset: 5, bytes: [1, 2, 3]),
      .truncate(handle: 1, length: 9), .allocate(handle: 1, offset: 0, length: 4096),
      .punchHole(handle: 1, offset: 1, length: 2), .syncBegan(sync: 1, handle: 1, isFull: true),
      .syncEnded(sync: 1, succeeded: true), .directorySyncBegan(sync: 2, path: "/d"),
      .syncEnded(sync: 2, succeeded: false), .rename(path: "/d/a", to: "/d/b"),
      .remove(path: "/d/b"), .removeDirectory(path: "/d"), .close(handle: 1),
      .mark(.recovered(state)), .mark(.closed), .mark(.crashed),
    ] + operations.map { .mark(.began(call: 7, client: 3, operation: $0)) }
    + outcomes.map { .mark(.ended(call: 7, outcome: $0)) }

  private static let state = RecoveredState(trees: [
    .init(
      "t", forward: [Entry([1], [2]), Entry([3], [])],
      backward: [Entry([3], []), Entry([1], [2])])
  ])

  private static let operations: [Operation] = [
    .get([1], in: ""), .insert([2], for: [1], in: "t"), .remove([1], in: ""),
    .compareExchange([1], expected: nil, desired: [3], in: "t"),
    .scan(KeyRange(lower: [1], upper: nil), .forward, limit: .max, in: ""),
    .scan(.all, .backward, limit: 3, in: ""),
    .batch([BatchWrite([1], [2], in: "t"), BatchWrite([2], nil)]), .flush, .checkpoint,
    .backgroundWork, .evict, .clean, .nextID, .count(in: "t"), .dropTree("t"),
  ]

  private static let outcomes: [Outcome] = [
    .value(nil), .value([1]), .exchange(exchanged: true, original: [1]),
    .entries([Entry([1], [2])]),
    .identifier(.max), .number(-1), .flag(true), .done,
    .failure(.noSpace, message: "full", refused: true),
  ]

  @Test func everythingIsReadAsItWasWritten() throws {
    let log = CallLog(Self.everything)
    let read = try CallLog(reading: log.encoded)
    #expect(read == log)
    #expect(read.tornBytes == 0)
  }

  /// Where the file ends anywhere, the log ends with the last whole record.
  @Test func aTornTailEndsTheLog() throws {
    let log = CallLog(Self.everything)
    let bytes = log.encoded
    var whole = 0
    for length in CallLogFormat.headerBytes...bytes.count {
      let read = try CallLog(reading: Array(bytes[..<length]))
      #expect(read.calls == Array(Self.everything[..<read.calls.count]))
      #expect(read.calls.count >= whole)
      whole = read.calls.count
      #expect((read.tornBytes == 0) == (CallLog(read.calls).encoded.count == length))
    }
    #expect(whole == Self.everything.count)
    for length in 0..<CallLogFormat.headerBytes {
      #expect(throws: CallLogError.self) { try CallLog(reading: Array(bytes[..<length])) }
    }
  }

  /// A flipped bit is an error, or makes a record longer than the file: never other calls.
  @Test func aFlippedBitIsNeverAnotherCall() throws {
    let bytes = CallLog(Self.everything).encoded
    for bit in 0..<bytes.count * 8 {
      var damaged = bytes
      damaged[bit / 8] ^= 1 << UInt8(bit % 8)
      do {
        let read = try CallLog(reading: damaged)
        #expect(read.tornBytes > 0, "bit \(bit)")
        #expect(read.calls == Array(Self.everything[..<read.calls.count]), "bit \(bit)")
      } catch { #expect(!error.description.isEmpty, "bit \(bit)") }
    }
  }

  /// What the writer has appended is in the file, call by call: a process may be killed at any time.
  @Test func theWriterKeepsEveryCall() throws {
    let files = InMemoryFileSystem()
    let writer = try CallLogWriter(creating: "/log", on: files)
    for (place, call) in Self.everything.enumerated() {
      try writer.append(call)
      let read = try CallLog(reading: try files.contents("/log") ?? [])
      #expect(read == CallLog(Array(Self.everything[...place])))
    }
    writer.close()
    #expect(throws: PlatformError.self) { try CallLogWriter(creating: "/log", on: files) }
  }

  @Test func aRecorderKeepsTheContractOfFiles() throws {
    try checkFileSystemContract(
      RecordingFileSystem(InMemoryFileSystem(), to: CallLogMemory()), root: "")
  }

  /// What was there before the recording is in the log, and durable.
  @Test func aLogBeginsWithWhatIsThere() throws {
    let base = InMemoryFileSystem()
    try base.createDirectory("/x")
    try base.createDirectory("/x/d")
    let file = try base.open("/x/d/a", .createNew)
    try file.writeFully(bytes(1, 3000), at: 0)
    let log = CallLogMemory()
    let files = RecordingFileSystem(base, to: log)
    try files.recordContents(of: "/x/d")
    let again = try files.open("/x/d/a", .readWrite)
    try again.writeFully(bytes(2, 10), at: 0)
    var replay = LogReplay(SimulatedDisk())
    for call in log.calls { try replay.apply(call) }
    #expect(replay.disk.pendingSectors == 1)
    let pending = PendingChanges(replay.disk, replay.hashes)
    #expect(pending.items.count == 1)
    let old = replay.disk.copy(leaving: pending.oldest, of: pending).mount(SilentGate.shared)
    #expect(try old.contents("/x/d/a") == bytes(1, 3000))
  }

  /// A sync that fails is in the log, and what it gave up stays pending though a later one succeeds.
  @Test func aFailedSyncIsLogged() throws {
    let world = DiskWorld()
    let log = CallLogMemory()
    let files = RecordingFileSystem(world.files, to: log)
    let file = try files.open("/a", .createNew)
    try files.syncDirectory("/")
    try file.writeFully(bytes(1, 512), at: 0)
    world.gate.armed = [.syncFailure]
    #expect(throws: PlatformError.self) { try file.syncData() }
    try file.syncData()
    #expect(log.calls.contains(.syncEnded(sync: 2, succeeded: false)))
    var replay = LogReplay(SimulatedDisk())
    for call in log.calls { try replay.apply(call) }
    #expect(replay.disk.pendingSectors == 1)
  }
}
