import Platform

@testable import Luge

/// A redo log in a world of its own, small enough that rings wrap and segments roll.
struct LogFixture {
  var platform: PlatformServices
  var settings: RedoSettings
  var log: RedoLog

  struct Commit: Equatable {
    var lsn: UInt64
    var payload: [UInt8]
  }

  static var small: RedoSettings {
    var settings = RedoSettings()
    settings.ringBytes = 64 << 10
    settings.segmentPayload = 16 << 10
    settings.maximumThreads = 8
    settings.largestOrdinaryPiece = 1 << 10
    return settings
  }

  init(
    platform: PlatformServices? = nil, settings: RedoSettings = small, incarnation: UInt64 = 1,
    start: UInt64 = RedoFormat.firstLSN, segments: [RedoSegmentInfo] = []
  ) throws {
    if let platform {
      self.platform = platform
    } else {
      self.platform = try TestFiles.world([])
    }
    self.settings = settings
    log = try RedoLog(
      platform: self.platform, directory: "/db", settings: settings, incarnation: incarnation,
      start: start, segments: segments)
  }

  /// Admits, reserves and fills one commit.
  @discardableResult
  static func commit(_ log: RedoLog, _ payload: [UInt8]) throws -> Commit {
    let bytes = RedoFormat.pieceBytes(payload: payload.count)
    try log.admit(pieceBytes: bytes)
    defer { log.releaseCredits(pieceBytes: bytes) }
    guard let lsn = log.reserve(bytes) else { throw LugeError(.closed, "refused") }
    unsafe payload.raw { unsafe log.fill(lsn, kind: .commit, payload: $0) }
    return Commit(lsn: lsn, payload: payload)
  }

  func commit(_ payload: [UInt8]) throws -> Commit { try Self.commit(log, payload) }

  /// Everything from `from` on, by a scan.
  static func scan(
    _ files: any FileSystem, incarnation: UInt64 = 1, from: UInt64 = RedoFormat.firstLSN,
    durable: UInt64 = 0, sequence: UInt64 = 0, wasClosed: Bool = false
  ) throws -> (result: RedoScan.Result, commits: [Commit]) {
    var commits: [Commit] = []
    let result = unsafe try RedoScan.run(
      files: files, directory: "/db", incarnation: incarnation, from: from, durable: durable,
      superblockSequence: sequence, wasClosed: wasClosed
    ) { lsn, kind, payload in
      if kind == .commit { commits.append(Commit(lsn: lsn, payload: unsafe Array(payload))) }
    }
    return (result, commits)
  }
}

extension RedoScan {
  /// Of a log that one incarnation wrote from the beginning.
  static func run(
    files: any FileSystem, directory: String, incarnation: UInt64, from: UInt64, durable: UInt64,
    superblockSequence: UInt64, wasClosed: Bool = false, _ visit: Visitor
  ) throws(LugeError) -> Result {
    var superblock = Superblock()
    superblock.sequence = superblockSequence
    superblock.redoSegmentPayload = 1
    superblock.recoveryLSN = from
    superblock.durableLSN = durable
    superblock.eras = [RedoEra(incarnation: incarnation, start: RedoFormat.firstLSN)]
    superblock.wasClosed = wasClosed
    return unsafe try run(files: files, directory: directory, superblock: superblock, visit)
  }
}
