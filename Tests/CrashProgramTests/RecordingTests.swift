import Foundation
import Testing

/// What no kill can show, the log of a life on real files does: every state that a power cut could have left is made from
/// it.
@Suite struct RecordingTests {
  @Test(arguments: [("luge", Int32(0)), ("luge-without-redo-syncs", 1)])
  func powerCuts(engine: String, code: Int32) throws {
    let log = FileManager.default.temporaryDirectory.appending(
      path: "crash-log-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: log) }
    let life = try CrashRun(
      "crash-sequential-writes", "--record", log.path, "--operations", "20", "--engine", engine)
    #expect(life.code == 0, "\(life.output) \(life.error)")
    #expect(life.output.contains(" 60 operations in \(log.path)"))
    #expect(life.left.isEmpty)
    let states = try CrashRun(
      "simulate", "crash-states", "--log", log.path, "--moments", "60", "--states", "12",
      isCrashProgram: false)
    #expect(states.code == code, "\(states.output) \(states.error)")
    #expect(states.output.contains("FAILED   ") == (code != 0), "\(states.output)")
    // A log is never written over.
    let again = try CrashRun("crash-sequential-writes", "--record", log.path)
    #expect(again.code == 1 && again.output.contains("already exists"), "\(again.output)")
  }
}
