import EngineKit
import HistoryKit
import Testing

@Suite struct DurabilityTests {
  let script = Script([.durability, .prefixDurability, .batchAtomicity])

  @Test func unflushedWritesMayBeLost() {
    script.put("a", "1")
    script.flush()
    script.put("b", "1")
    script.put("a", "2", was: "1")
    script.crash(finds: [("a", "1")])
    #expect(script.convicted.isEmpty, "\(script.judge.violations)")
  }

  @Test func unflushedWritesMaySurvive() {
    script.put("a", "1")
    script.put("b", "1")
    script.crash(.processKill, finds: [("a", "1"), ("b", "1")])
    #expect(script.convicted.isEmpty)
  }

  @Test func flushedWriteLostIsConvicted() {
    script.put("a", "1")
    script.flush()
    script.crash(finds: [])
    #expect(script.convicted.contains("durability"))
  }

  @Test func flushedRemovalLostIsConvicted() {
    script.put("a", "1")
    script.run(0, remove("a"), .value(bytes("1")))
    script.flush()
    script.crash(finds: [("a", "1")])
    #expect(script.convicted.contains("durability"))
  }

  @Test func inventedValueAndKeyAreConvicted() {
    script.put("a", "1")
    script.crash(finds: [("a", "7")])
    #expect(script.convicted.contains("durability"))
    let other = Script([.durability])
    other.crash(finds: [("x", "1")])
    #expect(other.convicted == ["durability"])
  }

  @Test func writeBesideAFlushIsNotPromised() {
    script.begin(1, .flush)
    script.put("a", "1", client: 2)
    script.end(1, .done)
    script.crash(finds: [])
    #expect(script.convicted.isEmpty)
  }

  @Test func failedFlushPromisesNothing() {
    script.put("a", "1")
    script.met(.syncFailure)
    script.run(0, .flush, failed(.inputOutput))
    script.crash(finds: [])
    #expect(script.convicted.isEmpty)
  }

  @Test func whatARecoveryShowedMustStay() {
    script.put("a", "1")
    script.crash(.processKill, finds: [("a", "1")])
    script.crash(.powerLoss, finds: [])
    #expect(script.convicted.contains("durability"))
  }

  @Test func holeIsConvicted() {
    script.put("a", "1")
    script.put("b", "1")
    script.crash(finds: [("b", "1")])
    #expect(script.convicted == ["prefix-durability"])
  }

  @Test func holeIsNoMatterWithoutThePromise() {
    let weak = Script([.durability, .prefixDurability], capabilities: [])
    weak.put("a", "1")
    weak.put("b", "1")
    weak.crash(finds: [("b", "1")])
    #expect(weak.convicted.isEmpty)
  }

  @Test func holeWithinOneKeyIsConvicted() {
    // b = 2 survives although a = 2, which came before, does not.
    script.put("a", "1")
    script.put("b", "1")
    script.flush()
    script.put("a", "2", was: "1")
    script.put("b", "2", was: "1")
    script.crash(finds: [("a", "1"), ("b", "2")])
    #expect(script.convicted == ["prefix-durability"])
  }

  @Test func callUnderWayMaySurviveOrNot() {
    for survives in [true, false] {
      let script = Script([.durability, .prefixDurability])
      script.put("a", "1")
      script.begin(0, insert("b", "1"))
      script.crash(finds: survives ? [("a", "1"), ("b", "1")] : [("a", "1")])
      #expect(script.convicted.isEmpty)
    }
  }

  @Test func callUnderWayCannotSurviveWhatCameBefore() {
    script.put("a", "1")
    script.begin(0, insert("b", "1"))
    script.crash(finds: [("b", "1")])
    #expect(script.convicted == ["prefix-durability"])
  }

  @Test func concurrentClientsMayCommitInAnyOrder() {
    script.begin(1, insert("a", "1"))
    script.begin(2, insert("b", "1"))
    script.end(1, .value(nil))
    script.end(2, .value(nil))
    script.crash(finds: [("b", "1")])
    #expect(script.convicted.isEmpty)
  }

  @Test func realTimeOrderOfClientsIsRespected() {
    script.put("a", "1", client: 1)
    script.put("b", "1", client: 2)
    script.crash(finds: [("b", "1")])
    #expect(script.convicted == ["prefix-durability"])
  }

  @Test func holeIsFoundThroughAThirdOperation() {
    // a is lost; c was invoked after a had returned, and is lost with it; d began after c.
    script.begin(3, insert("z", "1"))
    script.put("a", "1", client: 1)
    script.put("a", "2", was: "1", client: 2)
    script.put("d", "1", client: 1)
    script.end(3, .value(nil))
    script.crash(finds: [("a", "1"), ("d", "1"), ("z", "1")])
    #expect(script.convicted == ["prefix-durability"])
  }

  @Test func overwrittenInBetweenIsNoHole() {
    // The value found is that of the first write, and of the third: the greatest set explains it.
    script.put("a", "1")
    script.put("a", "2", was: "1")
    script.put("a", "1", was: "2")
    script.put("b", "1")
    script.crash(finds: [("a", "1"), ("b", "1")])
    #expect(script.convicted.isEmpty)
  }

  @Test func failedWriteMayTakeEffectAfterLaterOnes() {
    script.put("a", "1")
    script.met(.writeError)
    script.run(0, insert("a", "2"), failed(.inputOutput))
    script.put("a", "3", was: "1")
    script.flush()
    script.crash(finds: [("a", "2")])
    #expect(script.convicted.isEmpty, "\(script.judge.violations)")
  }

  @Test func tornBatchIsConvicted() {
    script.run(0, batch([("a", "1"), ("b", "1")]), .done)
    script.crash(finds: [("a", "1")])
    #expect(script.convicted.contains("batch-atomicity"))
    #expect(script.convicted.contains("prefix-durability"))
  }

  @Test func tornBatchUnderWayIsConvicted() {
    let script = Script([.durability, .batchAtomicity])
    script.begin(0, batch([("a", "1"), ("b", "1")]))
    script.crash(finds: [("b", "1")])
    #expect(script.convicted == ["batch-atomicity"])
  }

  @Test func batchPartlyOverwrittenIsNotTorn() {
    script.run(0, batch([("a", "1"), ("b", "1")]), .done)
    script.put("b", "2", was: "1")
    script.crash(finds: [("a", "1"), ("b", "2")])
    #expect(script.convicted.isEmpty)
  }

  @Test func batchBesideAWriterIsNotTorn() {
    script.begin(1, batch([("a", "1"), ("b", "1")]))
    script.begin(2, insert("b", "2"))
    script.end(2, .value(nil))
    script.end(1, .done)
    script.crash(finds: [("a", "1"), ("b", "2")])
    #expect(script.convicted.isEmpty)
  }

  @Test func rottenTailMayTakeTheLastFlush() {
    script.put("a", "1")
    script.flush()
    script.put("b", "1")
    script.flush()
    script.met(.bitRot)
    script.crash(finds: [("a", "1")])
    #expect(script.convicted.isEmpty)
  }

  @Test func rottenTailMayNotTakeTheFlushBefore() {
    script.put("a", "1")
    script.flush()
    script.put("b", "1")
    script.flush()
    script.met(.bitRot)
    script.crash(finds: [])
    #expect(script.convicted.contains("durability"))
  }

  /// Found by fuzzing: a flush with nothing to write is no later group of the log.
  @Test func aRemovalOfNothingMakesNoLaterGroup() {
    script.put("a", "1")
    script.flush()
    script.begin(1, .remove(Bytes("b".utf8), in: .default))
    script.end(1, .value(nil))
    script.begin(1, batch([("b", nil)]))
    script.end(1, .done)
    script.flush()
    script.met(.bitRot)
    script.crash(finds: [])
    #expect(script.convicted.isEmpty)
  }

  @Test func aBatchThatChangesSomethingMakesALaterGroup() {
    script.put("a", "1")
    script.flush()
    script.begin(1, batch([("a", "1"), ("b", "1")]))
    script.end(1, .done)
    script.flush()
    script.met(.bitRot)
    script.crash(finds: [])
    #expect(script.convicted.contains("durability"))
  }

  /// Found by fuzzing: nor is one of a value that was there.
  @Test func aWriteOfTheSameValueMakesNoLaterGroup() {
    script.put("a", "1")
    script.flush()
    script.put("a", "1", was: "1")
    let value = Bytes("1".utf8)
    script.begin(
      1, .compareExchange(Bytes("a".utf8), expected: value, desired: value, in: .default))
    script.end(1, .exchange(exchanged: true, original: value))
    script.begin(1, batch([("a", "2"), ("a", "1")]))
    script.end(1, .done)
    script.flush()
    script.met(.bitRot)
    script.crash(finds: [])
    #expect(script.convicted.isEmpty)
  }

  @Test func closingMakesDurable() {
    script.put("a", "1")
    script.judge.closed(nil, step: 100)
    script.opened(nil)
    script.found([])
    #expect(script.convicted.contains("durability"))
  }

  @Test func longRunIsForgottenAndStillJudged() {
    var former: String?
    for round in 0..<3000 {
      script.put("k\(round % 7)", "\(round)", was: round < 7 ? nil : "\(round - 7)")
      if round % 50 == 49 { script.flush() }
      former = "\(round)"
    }
    #expect(script.judge.context.writes.operations.count < 1100)
    var left = (0..<7).map { ("k\((2993 + $0) % 7)", "\(2993 + $0)") }
    #expect(left.last?.1 == former)
    left[3].1 = "1000"
    script.crash(finds: left)
    #expect(script.convicted.contains("durability"))
  }

  @Test func longRunRightlyRecoveredPasses() {
    for round in 0..<3000 {
      script.put("k\(round % 7)", "\(round)", was: round < 7 ? nil : "\(round - 7)")
      if round % 50 == 49 { script.flush() }
    }
    script.crash(finds: (0..<7).map { ("k\((2993 + $0) % 7)", "\(2993 + $0)") })
    #expect(script.convicted.isEmpty, "\(script.judge.violations)")
  }
}
