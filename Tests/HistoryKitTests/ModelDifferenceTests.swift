import EngineKit
import HistoryKit
import Testing

/// One client: exact. Several: no false alarm, and what no order explains is convicted.
@Suite struct ModelDifferenceTests {
  let script = Script([.modelDifference])

  @Test func rightAnswersOfOneClientPass() {
    script.read("a", nil)
    script.put("a", "1")
    script.put("a", "2", was: "1")
    script.read("a", "2")
    script.run(0, remove("a"), .value(bytes("2")))
    script.read("a", nil)
    script.run(0, .count(in: .default), .number(0))
    #expect(script.convicted.isEmpty, "\(script.judge.violations)")
  }

  @Test func staleReadIsConvicted() {
    script.put("a", "1")
    script.put("a", "2", was: "1")
    script.read("a", "1")
    #expect(script.convicted == ["model-difference"])
  }

  @Test func wrongFormerValueIsConvicted() {
    script.put("a", "1")
    script.put("a", "2", was: nil)
    #expect(script.convicted == ["model-difference"])
  }

  @Test func wrongCountIsConvicted() {
    script.put("a", "1")
    script.run(0, .count(in: .default), .number(2))
    #expect(script.convicted == ["model-difference"])
  }

  @Test func compareExchange() {
    script.put("a", "1")
    let right = Operation.compareExchange(
      bytes("a"), expected: bytes("1"), desired: bytes("2"), in: .default)
    script.run(0, right, .exchange(exchanged: true, original: bytes("1")))
    script.read("a", "2")
    script.run(0, right, .exchange(exchanged: false, original: bytes("2")))
    script.read("a", "2")
    #expect(script.convicted.isEmpty)
    script.run(0, right, .exchange(exchanged: true, original: bytes("2")))
    #expect(script.convicted == ["model-difference"])
  }

  @Test func concurrentReadMaySeeEitherSide() {
    script.put("a", "1")
    script.begin(1, insert("a", "2"))
    script.read("a", "1", client: 2)
    script.read("a", "2", client: 2)
    script.end(1, .value(bytes("1")))
    script.read("a", "2", client: 2)
    #expect(script.convicted.isEmpty)
    script.read("a", "1", client: 2)
    #expect(script.convicted == ["model-difference"])
  }

  @Test func concurrentWritersMayEndEitherWay() {
    script.begin(1, insert("a", "1"))
    script.begin(2, insert("a", "2"))
    script.end(2, .value(nil))
    script.end(1, .value(bytes("2")))
    script.read("a", "1")
    script.read("a", "1")
    #expect(script.convicted.isEmpty)
    // Both orders are legal for an interval check.
    script.read("a", "2")
    #expect(script.convicted.isEmpty)
    script.read("a", nil)
    #expect(script.convicted == ["model-difference"])
  }

  @Test func longReadMayFindWhatWasReplacedMeanwhile() {
    script.put("a", "1")
    script.begin(1, get("a"))
    script.put("a", "2", was: "1")
    script.put("a", "3", was: "2")
    script.end(1, .value(bytes("1")))
    #expect(script.convicted.isEmpty)
    script.begin(1, get("a"))
    script.end(1, .value(bytes("2")))
    #expect(script.convicted == ["model-difference"])
  }

  @Test func failedWriteMayTakeEffectLaterOrNever() {
    script.put("a", "1")
    script.met(.writeError)
    script.run(0, insert("a", "2"), failed(.inputOutput))
    script.read("a", "1")
    script.read("a", "2")
    #expect(script.convicted.isEmpty)
  }

  @Test func refusedWriteNeverTakesEffect() {
    script.put("a", "1")
    script.run(0, insert("a", "2"), failed(.refused, refused: true))
    script.read("a", "1")
    #expect(script.convicted.isEmpty)
    script.read("a", "2")
    #expect(script.convicted == ["model-difference"])
  }

  /// A scan that overlaps two writes, one after the other; what it may show.
  @Test(arguments: [
    ("1", "1", true, true), ("2", "1", true, true), ("2", "2", true, true),
    ("1", "2", false, true), ("1", "1", true, false), ("1", "2", true, false),
  ])
  func aScanIsOfOneMoment(_ a: String, _ b: String, isRight: Bool, isAtomic: Bool) {
    let script = Script(
      capabilities: isAtomic
        ? Script.everything.union(.snapshotScans) : Script.everything.subtracting(.snapshotScans))
    script.put("a", "1")
    script.put("b", "1")
    script.begin(1, .scan(.all, .forward, limit: .max, in: .default))
    script.put("a", "2", was: "1")
    script.put("b", "2", was: "1")
    script.end(1, .entries([Entry(bytes("a"), bytes(a)), Entry(bytes("b"), bytes(b))]))
    #expect(script.convicted == (isRight ? [] : ["model-difference"]))
  }

  /// A scan beside two writes under way may show either; beside a batch, all of it or nothing.
  @Test(arguments: [true, false])
  func aScanShowsABatchWholeOrNotAtAll(isBatch: Bool) {
    for (a, b) in [("1", "1"), ("1", "2"), ("2", "1"), ("2", "2")] {
      let script = Script(capabilities: Script.everything.union(.snapshotScans))
      script.put("a", "1")
      script.put("b", "1")
      script.begin(1, .scan(.all, .backward, limit: .max, in: .default))
      if isBatch {
        script.begin(0, batch([("a", "2"), ("b", "2")]))
      } else {
        script.begin(0, insert("a", "2"))
        script.begin(2, insert("b", "2"))
      }
      script.end(1, .entries([Entry(bytes("b"), bytes(b)), Entry(bytes("a"), bytes(a))]))
      #expect(script.convicted == (isBatch && a != b ? ["model-difference"] : []), "\(a) \(b)")
    }
  }

  /// A removal and an insert that do not overlap: a scan may miss one of the keys, not both.
  @Test func absencesAreOfOneMomentToo() {
    for (shown, isRight) in [(["a"], true), (["a", "b"], true), (["b"], true), ([], false)] {
      let script = Script(capabilities: Script.everything.union(.snapshotScans))
      script.put("a", "1")
      script.begin(1, .scan(.all, .forward, limit: .max, in: .default))
      script.put("b", "1")
      script.run(0, remove("a"), .value(bytes("1")))
      script.end(1, .entries(shown.map { Entry(bytes($0), bytes("1")) }))
      #expect(script.convicted == (isRight ? [] : ["model-difference"]), "\(shown)")
    }
  }

  @Test func laterEntryOfABatchWins() {
    script.run(0, batch([("a", "1"), ("b", "1"), ("a", "2")]), .done)
    script.read("a", "2")
    script.read("b", "1")
    #expect(script.convicted.isEmpty)
    script.read("a", "1")
    #expect(script.convicted == ["model-difference"])
  }

  @Test func droppedTreeIsEmpty() {
    script.run(0, .insert([1], for: [1], in: "t"), .value(nil))
    script.run(0, .dropTree("t"), .flag(true))
    script.run(0, .get([1], in: "t"), .value(nil))
    #expect(script.convicted.isEmpty)
    script.run(0, .get([1], in: "t"), .value([1]))
    #expect(script.convicted == ["model-difference"])
  }

  @Test func insertBesideADropMaySurviveIt() {
    script.begin(1, .dropTree("t"))
    script.run(0, .insert([1], for: [1], in: "t"), .value(nil))
    script.end(1, .flag(true))
    script.run(0, .get([1], in: "t"), .value(nil))
    script.run(0, .get([1], in: "t"), .value([1]))
    #expect(script.convicted.isEmpty)
  }

  @Test func backwardDumpMustBeTheForwardOneReversed() {
    script.crashed()
    script.opened(nil)
    let one = Entry([1], [1])
    let two = Entry([2], [2])
    script.judge.recovered(
      RecoveredState(trees: [.init(.default, forward: [one, two], backward: [two])]), step: 9)
    #expect(script.convicted == ["model-difference"])
  }
}

@Suite struct ScanTests {
  let script = Script([.modelDifference])

  init() {
    for key in ["a", "b", "c", "d"] { script.put(key, key) }
  }

  @Test func rightScansPass() {
    script.run(0, scan(), entries([("a", "a"), ("b", "b"), ("c", "c"), ("d", "d")]))
    script.run(0, scan(.all, .backward, limit: 2), entries([("d", "d"), ("c", "c")]))
    let middle = KeyRange(lower: bytes("b"), upper: bytes("d"))
    script.run(0, scan(middle), entries([("b", "b"), ("c", "c")]))
    script.run(0, scan(middle, .backward, limit: 1), entries([("c", "c")]))
    script.run(0, scan(KeyRange(lower: bytes("d"), upper: bytes("b"))), entries([]))
    script.run(0, scan(limit: 0), entries([]))
    #expect(script.convicted.isEmpty, "\(script.judge.violations)")
  }

  @Test(arguments: [
    [("a", "a"), ("c", "c"), ("d", "d")],
    [("a", "a"), ("b", "b"), ("c", "c"), ("d", "x")],
    [("a", "a"), ("c", "c"), ("b", "b"), ("d", "d")],
    [("a", "a"), ("b", "b"), ("b", "b"), ("c", "c"), ("d", "d")],
    [("a", "a"), ("b", "b"), ("c", "c"), ("d", "d"), ("e", "e")],
    [],
  ])
  func wrongScansAreConvicted(_ pairs: [(String, String)]) {
    script.run(0, scan(), entries(pairs))
    #expect(script.convicted == ["model-difference"])
  }

  @Test func skippedKeyBackwardIsConvictedBeforeTheLimit() {
    script.run(0, scan(.all, .backward, limit: 2), entries([("d", "d"), ("b", "b")]))
    #expect(script.convicted == ["model-difference"])
  }

  @Test func tooManyOrOutsideIsConvicted() {
    script.run(0, scan(limit: 1), entries([("a", "a"), ("b", "b")]))
    #expect(script.convicted == ["model-difference"])
    let other = Script([.modelDifference])
    other.put("a", "1")
    other.run(0, scan(KeyRange(lower: bytes("b"))), entries([("a", "1")]))
    #expect(other.convicted == ["model-difference"])
  }

  @Test func scanBesideWritersNeedNotSeeThem() {
    script.begin(1, scan())
    script.run(2, remove("b"), .value(bytes("b")))
    script.put("e", "e", client: 2)
    // Saw the insert and the key removed before it: no state of the map, but what was promised.
    script.end(1, entries([("a", "a"), ("b", "b"), ("c", "c"), ("d", "d"), ("e", "e")]))
    #expect(script.convicted.isEmpty)
    script.begin(1, scan())
    script.put("f", "f", client: 2)
    script.end(1, entries([("a", "a"), ("d", "d"), ("e", "e")]))
    #expect(script.convicted == ["model-difference"], "c was there throughout")
  }

  @Test func overwrittenKeyIsStillPresentThroughout() {
    script.begin(1, scan())
    script.put("b", "2", was: "b", client: 2)
    script.end(1, entries([("a", "a"), ("c", "c"), ("d", "d")]))
    #expect(script.convicted == ["model-difference"])
  }

  @Test func countBesideAnInsert() {
    script.begin(1, insert("e", "e"))
    script.run(2, .count(in: .default), .number(4))
    script.run(2, .count(in: .default), .number(5))
    #expect(script.convicted.isEmpty)
    script.end(1, .value(nil))
    script.run(2, .count(in: .default), .number(6))
    #expect(script.convicted == ["model-difference"])
  }

  @Test func countMayLagBehindAnInsertThatAnotherClientSaw() {
    script.begin(1, insert("e", "e"))
    script.put("e", "f", was: "e", client: 2)
    script.run(2, .count(in: .default), .number(4))
    #expect(script.convicted.isEmpty)
    script.run(2, .count(in: .default), .number(7))
    #expect(script.convicted == ["model-difference"])
  }
}
