import EngineKit
import HistoryKit
import Platform
import Testing

@testable import SimulationKit

/// The states that a power cut can leave are all of them, and no others.
@Suite struct CrashStateTests {
  /// A disk, and what was written to it through a recorder.
  private struct Recorded {
    let world = DiskWorld()
    let log = CallLogMemory()
    let files: RecordingFileSystem

    init() { files = RecordingFileSystem(world.files, to: log) }

    /// The same, built from the log.
    func replayed() throws -> LogReplay {
      var replay = LogReplay(SimulatedDisk())
      for call in log.calls { try replay.apply(call) }
      return replay
    }
  }

  /// Short histories that leave a few things pending each.
  private static let histories: [@Sendable (RecordingFileSystem) throws -> Void] = [
    { files in
      // Two writes of one sector, one of another, on a durable file.
      let file = try files.open("/a", .createNew)
      try file.writeFully(bytes(1, 1024), at: 0)
      try file.syncAll()
      try files.syncDirectory("/")
      try file.writeFully(bytes(2, 512), at: 0)
      try file.writeFully(bytes(3, 1024), at: 0)
    },
    { files in
      // A file that grows, and a second one that takes its name.
      let file = try files.open("/a", .createNew)
      try file.writeFully(bytes(1, 600), at: 0)
      try file.syncData()
      try files.syncDirectory("/")
      try file.writeFully(bytes(2, 700), at: 400)
      let other = try files.open("/b", .createNew)
      try other.writeFully(bytes(3, 100), at: 0)
      try other.syncAll()
      try files.rename("/b", to: "/a")
    },
    { files in
      // Cut and written again; one name removed, another made.
      let file = try files.open("/a", .createNew)
      try file.writeFully(bytes(1, 1536), at: 0)
      try file.syncAll()
      try files.syncDirectory("/")
      try file.truncate(to: 300)
      try file.writeFully(bytes(2, 900), at: 100)
      try files.remove("/a")
      _ = try files.open("/c", .createNew)
    },
    { files in
      // A directory, a file in it, blocks reserved and punched out.
      try files.createDirectory("/d")
      let file = try files.open("/d/a", .createNew)
      try file.allocate(offset: 0, length: 4096)
      try file.writeFully(bytes(1, 1024), at: 1024)
      try file.syncData()
      try file.punchHole(offset: 1024, length: 512)
      try file.writeFully(bytes(2, 512), at: 0)
    },
  ]

  /// Everything that a process would find.
  private static func contents(_ disk: SimulatedDisk) throws -> [String] {
    let files = disk.fork().mount(SilentGate.shared)
    var found: [String] = []
    func walk(_ directory: String) throws {
      for name in try files.list(directory.isEmpty ? "/" : directory) {
        let path = "\(directory)/\(name)"
        if try files.status(path)?.isDirectory == true {
          found.append(path)
          try walk(path)
        } else {
          found.append("\(path) \(try files.contents(path) ?? [])")
        }
      }
    }
    try walk("")
    return found
  }

  /// All distinct states of some classes, by their contents.
  private static func enumerated(
    _ replay: LogReplay, _ classes: Set<StateClass>
  ) throws -> Set<[String]> {
    let enumeration = StateEnumeration(PendingChanges(replay.disk, replay.hashes))
    var states: Set<[String]> = []
    var failure: (any Error)?
    enumeration.visit { kind, _, choices in
      guard classes.contains(kind) else { return }
      do {
        states.insert(
          try contents(replay.disk.copy(leaving: choices, of: enumeration.pending)))
      } catch { failure = error }
    }
    if let failure { throw failure }
    return states
  }

  @Test(arguments: histories.indices)
  func theCombinationsAreWhatAPowerLossCanDraw(_ history: Int) throws {
    let recorded = Recorded()
    try Self.histories[history](recorded.files)
    let replay = try recorded.replayed()
    var drawn: Set<[String]> = []
    try everyOutcome { gate in
      let copy = recorded.world.disk.fork()
      copy.powerLoss(
        choosing: gate,
        allowing: [.droppedWrite, .reorderedWrite, .lostLength, .lostDirectoryEntry])
      drawn.insert(try Self.contents(copy))
    }
    #expect(drawn.count > 4)
    #expect(try Self.enumerated(replay, [.subset]) == drawn)
    // The other classes but torn sectors are among them.
    let others = try Self.enumerated(replay, [.none, .all, .prefix, .drop, .keep, .version])
    #expect(others.isSubset(of: drawn) && others.count > 3)
  }

  /// Counted by hand, without the model of the disk: two sectors, of which one was written twice.
  @Test func aHandMadeLogHasTheStatesThatOneCanCount() throws {
    let recorded = Recorded()
    try Self.histories[0](recorded.files)
    let first = bytes(1, 1024)
    let second = bytes(2, 512)
    let third = bytes(3, 1024)
    var expected: Set<[String]> = []
    for left in [Array(first[..<512]), second, Array(third[..<512])] {
      for right in [Array(first[512...]), Array(third[512...])] {
        expected.insert(["/a \(left + right)"])
      }
    }
    #expect(expected.count == 6)
    #expect(try Self.enumerated(try recorded.replayed(), [.subset]) == expected)
  }

  @Test func tornSectorsAreHalfOldAndHalfNew() throws {
    let recorded = Recorded()
    let file = try recorded.files.open("/a", .createNew)
    try file.writeFully(bytes(1, 512), at: 0)
    try file.syncAll()
    try recorded.files.syncDirectory("/")
    try file.writeFully(bytes(2, 512), at: 0)
    let torn = try Self.enumerated(try recorded.replayed(), [.tear])
    #expect(torn.count == 1)
    let halves = Array(bytes(2, 512)[..<256]) + Array(bytes(1, 512)[256...])
    #expect(torn == [["/a \(halves)"]])
  }

  /// Of random histories every state that is built has the hash that was reckoned for it, and states have the same hash
  /// only when they are the same.
  @Test(arguments: 0..<12)
  func hashesAreThoseOfTheImages(_ seed: Int) throws {
    let recorded = Recorded()
    try RandomCalls(seed: UInt64(seed)).run(recorded.files, count: 40)
    try recorded.files.open("/z", .createNew).writeFully(bytes(9, 700), at: 0)
    let replay = try recorded.replayed()
    var pending = PendingChanges(replay.disk, replay.hashes)
    let enumeration = StateEnumeration(pending)
    var contents: [ContentSum: [String]] = [:]
    var hashes: [[String]: ContentSum] = [:]
    var count = 0
    enumeration.visit { _, _, choices in
      count += 1
      if count > 400 { return }
      let reckoned = pending.hash(choices)
      let image = replay.disk.copy(leaving: choices, of: enumeration.pending)
      var built = PendingChanges(image, DiskHash(image))
      #expect(built.items.isEmpty && !image.hasPendingChanges)
      #expect(built.hash([]) == reckoned)
      guard let found = try? Self.contents(image) else { return }
      #expect(contents[reckoned, default: found] == found)
      #expect(hashes[found, default: reckoned] == reckoned)
      contents[reckoned] = found
      hashes[found] = reckoned
    }
    #expect(count > 2)
  }

  /// The log says as much as the disk that it was recorded on.
  @Test(arguments: 0..<12)
  func aReplayIsTheDiskItself(_ seed: Int) throws {
    let recorded = Recorded()
    try RandomCalls(seed: UInt64(100 + seed)).run(recorded.files, count: 60)
    let replay = try recorded.replayed()
    let disk = recorded.world.disk
    #expect(try Self.contents(replay.disk) == Self.contents(disk))
    #expect(replay.disk.pendingSectors == disk.pendingSectors)
    var one = PendingChanges(replay.disk, replay.hashes)
    var other = PendingChanges(disk, DiskHash(disk))
    #expect(one.options == other.options)
    #expect(one.hash(one.newest) == other.hash(other.newest))
    #expect(one.hash(one.oldest) == other.hash(other.oldest))
  }

  /// What is written while a sync is under way is not covered by it.
  @Test func aSyncVouchesForWhatCameBeforeIt() throws {
    var replay = LogReplay(SimulatedDisk())
    let calls: [LoggedCall] = [
      .open(handle: 1, path: "/a", creates: true),
      .directorySyncBegan(sync: 1, path: "/"), .syncEnded(sync: 1, succeeded: true),
      .write(handle: 1, offset: 0, bytes: bytes(1, 512)),
      .syncBegan(sync: 2, handle: 1, isFull: false),
      .write(handle: 1, offset: 0, bytes: bytes(2, 512)),
      .syncEnded(sync: 2, succeeded: true),
    ]
    for call in calls { try replay.apply(call) }
    let states = try Self.enumerated(replay, [.subset])
    #expect(states == [["/a \(bytes(1, 512))"], ["/a \(bytes(2, 512))"]])
  }

  @Test func aLogThatCannotHaveHappenedIsAnError() throws {
    let impossible: [LoggedCall] = [
      .write(handle: 7, offset: 0, bytes: [1]), .open(handle: 1, path: "/a", creates: false),
      .open(handle: 1, path: "/no/a", creates: true), .remove(path: "/a"),
      .rename(path: "/a", to: "/b"), .syncEnded(sync: 1, succeeded: true),
      .syncBegan(sync: 1, handle: 3, isFull: true), .directorySyncBegan(sync: 1, path: "/no"),
      .truncate(handle: 2, length: 1),
    ]
    for call in impossible {
      var replay = LogReplay(SimulatedDisk())
      #expect(throws: CallLogError.self, "\(call)") { try replay.apply(call) }
    }
    var replay = LogReplay(SimulatedDisk())
    try replay.apply(.open(handle: 1, path: "/a", creates: true))
    for offset in [UInt64.max, 1 << 40] {
      #expect(throws: CallLogError.self) {
        try replay.apply(.write(handle: 1, offset: offset, bytes: [1]))
      }
      #expect(throws: CallLogError.self) {
        try replay.apply(.allocate(handle: 1, offset: 1, length: offset))
      }
    }
  }
}
