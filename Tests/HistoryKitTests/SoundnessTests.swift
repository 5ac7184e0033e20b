import EngineKit
import HistoryKit
import Testing

/// No false alarm on any right history, and a conviction of each defect, over many drawn histories.
@Suite struct SoundnessTests {
  @Test(arguments: [1, 2, 5], [true, false])
  func rightHistoriesPass(_ clients: Int, _ sharesKeys: Bool) {
    for seed in 0..<60 as Range<UInt64> {
      var engine = ImaginaryEngine(seed: seed, clients: clients, sharesKeys: sharesKeys)
      engine.run(events: 900)
      #expect(engine.judge.violations == [], "seed \(seed)")
      if !engine.judge.holds { return }
    }
  }

  @Test(arguments: ImaginaryEngine.Defect.allCases, [1, 3])
  func defectsAreConvicted(_ defect: ImaginaryEngine.Defect, _ clients: Int) {
    let meant: [ImaginaryEngine.Defect: String] = [
      .losesFlushedWrite: "durability", .leavesHole: "prefix-durability",
      .tearsBatch: "batch-atomicity", .staleRead: "model-difference",
      .wrongFormerValue: "model-difference", .skipsInScan: "model-difference",
      .repeatsID: "identifiers", .forgetsAtSecondRecovery: "recovery-idempotence",
    ]
    var convictions = 0
    for seed in 0..<10 as Range<UInt64> {
      var engine = ImaginaryEngine(
        seed: seed, clients: clients, sharesKeys: false, defect: defect)
      engine.run(events: 900)
      if engine.judge.violations.contains(where: { $0.property == meant[defect] }) {
        convictions += 1
      }
    }
    #expect(convictions >= 8, "of 10 histories")
  }

  @Test func memoryIsBoundedOverManyCrashes() {
    var engine = ImaginaryEngine(seed: 7, clients: 3, sharesKeys: false)
    engine.run(events: 20_000)
    let writes = engine.judge.context.writes
    #expect(writes.operations.count < 2000)
    #expect(writes.keys.count < 100)
    #expect(engine.judge.history.records.count == 512)
  }
}
