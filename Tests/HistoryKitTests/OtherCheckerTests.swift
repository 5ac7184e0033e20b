import EngineKit
import HistoryKit
import Testing

@Suite struct RecoveryIdempotenceTests {
  let script = Script([.recoveryIdempotence])

  @Test func sameContentsTwicePass() {
    script.put("a", "1")
    script.crash(finds: [("a", "1")])
    script.crash(finds: [("a", "1")])
    script.put("a", "2", was: "1")
    script.crash(finds: [("a", "1")])
    #expect(script.convicted.isEmpty)
  }

  @Test(arguments: [[], [("a", "2")], [("a", "1"), ("b", "1")]])
  func otherContentsAreConvicted(_ second: [(String, String)]) {
    script.crash(finds: [("a", "1")])
    script.crash(finds: second)
    #expect(script.convicted == ["recovery-idempotence"])
  }
}

@Suite struct IdentifiersTests {
  let script = Script([.identifiers])

  private func next(_ id: UInt64) { script.run(0, .nextID, .identifier(id)) }

  @Test func growingIdsPassAcrossCrashes() {
    next(0)
    next(5)
    script.begin(1, .nextID)
    next(8)
    script.end(1, .identifier(7))
    script.crash(finds: [])
    next(100)
    #expect(script.convicted.isEmpty)
  }

  @Test func repeatedIdIsConvicted() {
    next(1)
    script.crash(finds: [])
    next(1)
    #expect(script.convicted == ["identifiers"])
  }

  @Test func concurrentIdsMustDiffer() {
    script.begin(1, .nextID)
    script.begin(2, .nextID)
    script.end(1, .identifier(4))
    script.end(2, .identifier(4))
    #expect(script.convicted == ["identifiers"])
  }
}

@Suite struct ErrorContractTests {
  let script = Script([.errorContract])

  @Test func failureAfterAReportedFaultPasses() {
    script.met(.writeError)
    script.run(0, insert("a", "1"), failed(.inputOutput))
    script.run(0, insert("a", "1"), failed(.refused, refused: true))
    script.crashed()
    script.opened(EngineError(.inputOutput, "test"))
    script.opened(nil)
    #expect(script.convicted.isEmpty)
  }

  @Test func failureWithoutAFaultIsConvicted() {
    script.run(0, insert("a", "1"), failed(.inputOutput))
    #expect(script.convicted == ["error-contract"])
  }

  @Test func survivedFaultExcusesNothing() {
    script.met(.latency)
    script.run(0, insert("a", "1"), failed(.noSpace))
    #expect(script.convicted == ["error-contract"])
  }

  @Test func faultOfAnEarlierLifeExcusesNoOperation() {
    script.met(.writeError)
    script.crash(finds: [])
    script.run(0, get("a"), failed(.inputOutput))
    #expect(script.convicted == ["error-contract"])
  }

  @Test func falseReportOfCorruptionIsConvicted() {
    script.met(.writeError)
    script.run(0, get("a"), failed(.corruption))
    #expect(script.convicted == ["error-contract"])
  }

  @Test func rotExcusesCorruptionForGood() {
    script.met(.bitRot)
    script.crash(finds: [])
    script.run(0, get("a"), failed(.corruption))
    script.crashed()
    script.opened(EngineError(.corruption, "test"))
    #expect(script.convicted.isEmpty)
    script.abandoned()
    script.opened(nil)
    script.run(0, get("a"), failed(.corruption))
    #expect(script.convicted == ["error-contract"])
  }

  @Test func openingMustSucceedAfterAMereCrash() {
    script.crashed()
    script.opened(EngineError(.corruption, "test"))
    #expect(script.convicted == ["error-contract"])
  }

  @Test func openingMayFailOnceForOneFault() {
    script.met(.writeError)
    script.crashed()
    script.opened(EngineError(.inputOutput, "test"))
    #expect(script.convicted.isEmpty)
    script.opened(EngineError(.inputOutput, "test"))
    #expect(script.convicted == ["error-contract"])
  }

  @Test func killedOperationsAreExpectedInACrashOnly() {
    script.run(0, get("a"), failed(.killed))
    script.crash(finds: [])
    #expect(script.convicted.isEmpty)
    script.run(0, get("a"), failed(.killed))
    script.begin(0, get("a"))
    #expect(script.convicted == ["error-contract"])
  }

  @Test func unsupportedIsForWhatIsNotPromised() {
    let modest = Script([.errorContract], capabilities: [])
    modest.run(0, .nextID, failed(.unsupported, refused: true))
    #expect(modest.convicted.isEmpty)
    script.run(0, .nextID, failed(.unsupported, refused: true))
    #expect(script.convicted == ["error-contract"])
  }

  @Test func treeNotFoundIsForADropBeside() {
    script.begin(1, .dropTree("t"))
    script.run(0, .get([1], in: "t"), failed(.treeNotFound))
    script.end(1, .flag(true))
    #expect(script.convicted.isEmpty)
    script.run(0, .get([1], in: "t"), failed(.treeNotFound))
    #expect(script.convicted == ["error-contract"])
  }
}

@Suite struct ConservedTotalTests {
  private func run(_ balances: [Int64]) -> [String] {
    let judge = Judge(
      checkers: [ConservedTotal(tree: "bank", prefix: bytes("acct"), total: 100)],
      capabilities: Script.everything, contract: Script.contract)
    let accounts = balances.enumerated().map {
      Entry(bytes("acct\($0.offset)"), ConservedTotal.balance($0.element))
    }
    let noise = [Entry(bytes("zz"), [1])]
    judge.recovered(
      RecoveredState(trees: [
        .init("bank", forward: accounts + noise, backward: noise + accounts.reversed())
      ]), step: 1)
    return judge.violations.map(\.property)
  }

  @Test func keptTotalPasses() {
    #expect(run([60, 40]).isEmpty)
    #expect(run([160, -60]).isEmpty)
    #expect(run([]).isEmpty)
  }

  @Test func brokenTotalIsConvicted() {
    #expect(run([60, 41]) == ["conserved-total"])
    #expect(run([100, 0, 1]) == ["conserved-total"])
  }

  @Test func balancesAreReadBack() {
    for amount in [0, 1, -1, .max, .min] as [Int64] {
      #expect(ConservedTotal.amount(ConservedTotal.balance(amount)) == amount)
    }
    #expect(ConservedTotal.amount([1]) == nil)
  }
}

@Suite struct JudgeTests {
  @Test func invariantsAreReported() {
    let script = Script([.structuralInvariants])
    script.inspected([])
    #expect(script.convicted.isEmpty)
    script.inspected(["page 3 is its own sibling"])
    #expect(script.convicted == ["structural-invariants"])
  }

  @Test func nothingIsJudgedBeyondTheContract() {
    let script = Script()
    script.put("a", "1")
    script.flush()
    script.met(.lyingSync)
    script.crash(finds: [("z", "1")])
    script.read("z", "2")
    #expect(script.convicted.isEmpty)
  }

  @Test func historyKeepsTheLastEvents() {
    var history = History(capacity: 3)
    for step in 0..<5 { history.append(.met(.latency), sequence: step, step: step) }
    #expect(history.records.map(\.step) == [2, 3, 4])
    #expect(history.total == 5)
  }

  @Test func registryNamesAreUnique() {
    let names = CheckerRegistry.all.map(\.name)
    #expect(Set(names).count == names.count)
    for plan in CheckerRegistry.all { #expect(plan.make().property == plan.name) }
  }
}
