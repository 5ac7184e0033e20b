import EngineKit
import SimulationFormats
import SimulationKit
import Testing

@Suite struct MessageTests {
  private var result: TapeResult {
    var result = TapeResult()
    result.failures = [Failure(property: "model", detail: "a\nb", step: 7)]
    result.counters.tapes = 1
    result.counters.operations = 2
    result.counters.processKills = 3
    result.counters.powerLosses = 4
    result.counters.crashesWithPendingSectors = 5
    result.counters.crashesDuringRecovery = 6
    result.counters.recoveries = 7
    result.counters.reportedDamage = 8
    result.counters.threadSwitches = 9
    result.counters.pendingSectors[3] = 10
    result.counters.faults[2] = 11
    result.counters.faultPoints = [NamedCount("log.seal", 12)]
    result.counters.probes = [NamedCount("tree.split", 0)]
    result.states = [1, .max]
    result.traceHash = "0123"
    result.inconclusive = "why"
    return result
  }

  @Test func aReplyKeepsEveryNumber() throws {
    let reply = WorkerReply(
      scenario: "words", index: 3, result: TapeSummary(result), file: "f", cpuSeconds: 0.5)
    let line = try MessageLine.encode(reply)
    #expect(!line.contains("\n"))
    let read = try MessageLine.decode(WorkerReply.self, from: line)
    #expect(read == reply)
    #expect(try read.result.result() == result)
  }

  @Test func theReportHasTheKeysThatOthersRead() throws {
    var report = CampaignReport(engine: "reference", seed: 5)
    report.counters = result.counters
    let text = try CampaignJSON(report).encoded()
    for key in [
      "verdict", "tapes", "operations", "crashes", "recoveries", "faults", "threadSwitches",
      "probesHit", "probesNeverHit", "traceHash", "cpuSeconds", "failures", "crashesByKind",
      "crashesWithPendingSectors", "crashesDuringRecovery", "faultPoints", "faultPointsNeverFired",
    ] {
      #expect(text.contains("\"\(key)\" :"), "\(key)")
    }
    for fault in FaultClass.allCases { #expect(text.contains("\"\(fault.rawValue)\"")) }
  }
}
