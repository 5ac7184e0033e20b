import EngineKit
import Platform
import Testing

@testable import SimulationKit

/// A rule of a small engine: "marker" is written only when what it says is synced in "data", name included.
private final class MarkerRule: StorageRule {
  let name = "marker after data"
  private(set) var seen = 0

  func concerns(_ path: String) -> Bool { path == "/marker" }

  func violation(of change: StorageChange, durable: any FileSystem) -> String? {
    seen += 1
    guard case .write(_, let bytes) = change.kind else { return nil }
    guard let file = try? durable.open("/data", .read) else { return "the data has no name" }
    let found = try? file.readAvailable(at: 0, count: bytes.count)
    return found == bytes ? nil : "the data is not there"
  }
}

@Suite struct StorageWatchTests {
  private let gate = ScriptedGate()
  private let disk = SimulatedDisk()
  private let rule = MarkerRule()
  private final class Reports { var all: [String] = [] }
  private let reports = Reports()

  private func mount(blind: Bool = false) -> SimulatedFileSystem {
    disk.watch = StorageWatch(
      [rule], isBlind: { blind }, report: { [reports] in reports.all.append($0) })
    return disk.mount(gate)
  }

  private func write(_ bytes: [UInt8], to path: String, _ files: SimulatedFileSystem) throws {
    let file = try files.open(path, .readWriteOrCreate)
    try file.writeFully(bytes, at: 0)
  }

  @Test func theRightOrderIsSilent() throws {
    let files = mount()
    let data = try files.open("/data", .readWriteOrCreate)
    try data.writeFully([1, 2, 3], at: 0)
    try data.syncData()
    try files.syncDirectory("/")
    try write([1, 2, 3], to: "/marker", files)
    #expect(reports.all == [] && rule.seen == 1)
  }

  @Test(arguments: [false, true], [false, true])
  func aMissingSyncIsNoticedAtOnce(data: Bool, name: Bool) throws {
    let files = mount()
    let file = try files.open("/data", .readWriteOrCreate)
    try file.writeFully([1, 2, 3], at: 0)
    if data { try file.syncData() }
    if name { try files.syncDirectory("/") }
    try write([1, 2, 3], to: "/marker", files)
    #expect(reports.all.isEmpty == (data && name))
    if !name { #expect(reports.all == ["marker after data: the data has no name"]) }
    if name && !data { #expect(reports.all == ["marker after data: the data is not there"]) }
  }

  @Test func whatWasSyncedAndChangedSinceIsAsItWasSynced() throws {
    let files = mount()
    let file = try files.open("/data", .readWriteOrCreate)
    try file.writeFully([1, 2, 3], at: 0)
    try file.syncData()
    try files.syncDirectory("/")
    try file.writeFully([4, 5, 6], at: 0)
    try files.remove("/data")
    try write([1, 2, 3], to: "/marker", files)
    #expect(reports.all == [])
    try write([4, 5, 6], to: "/marker", files)
    #expect(reports.all == ["marker after data: the data is not there"])
  }

  @Test func aSyncThatFailedSavesNothing() throws {
    let files = mount()
    let file = try files.open("/data", .readWriteOrCreate)
    try files.syncDirectory("/")
    try file.writeFully([1, 2, 3], at: 0)
    gate.armed = [.syncFailure]
    #expect(throws: PlatformError.self) { try file.syncData() }
    try file.syncData()
    try write([1, 2, 3], to: "/marker", files)
    #expect(reports.all == ["marker after data: the data is not there"])
  }

  /// Nothing is drawn or recorded by it, and other files are not looked at.
  @Test func watchingLeavesNoTrace() throws {
    func trace(_ watched: Bool) throws -> [[UInt64]] {
      let gate = ScriptedGate()
      let disk = SimulatedDisk()
      if watched {
        disk.watch = StorageWatch([MarkerRule()], isBlind: { false }, report: { _ in })
      }
      let files = disk.mount(gate)
      for path in ["/data", "/marker", "/other"] { try write([1], to: path, files) }
      #expect(gate.draws.isEmpty)
      return gate.events
    }
    #expect(try trace(true) == trace(false))
    let files = mount(blind: true)
    try write([1], to: "/marker", files)
    #expect(reports.all == [] && rule.seen == 0)
  }
}
