import EngineKit
import HistoryKit
import Testing

/// A generator with a known sequence (SplitMix64).
struct Seeded: RandomNumberGenerator {
  var state: UInt64
  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var word = state
    word = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
    word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
    return word ^ (word >> 31)
  }
}

/// Operations drawn at random, every answer compared with the model's, the database closed and
/// opened in between, and the judge listening.
@Suite struct RandomTests {
  @Test(arguments: Subject.all, [1, 2, 3] as [UInt64])
  func everyAnswerIsTheModels(_ subject: Subject, _ seed: UInt64) throws {
    var random = Seeded(state: seed)
    let has = subject.factory.capabilities
    let judge = Judge(
      checkers: CheckerRegistry.standard.map { $0.make() }, capabilities: has,
      contract: subject.factory.faultContract)
    var model = OrderedModel()
    var step = 0
    try subject.withDatabase { database throws in
      for _ in 0..<4 {
        let engine = try database.open()
        judge.opened(nil, step: step)
        judge.recovered(try RecoveredState(of: engine), step: step)
        for _ in 0..<400 {
          step += 1
          let operation = draw(&random, has)
          let call = judge.invoked(client: 0, operation, step: step)
          let outcome = engine.perform(operation)
          judge.returned(call, outcome, step: step)
          if let expected = model.apply(operation) {
            try #require(outcome == expected, "\(Described.operation(operation)), step \(step)")
          }
        }
        judge.inspected(try engine.checkInvariants(), step: step)
        try engine.close()
        judge.closed(nil, step: step)
      }
    }
    #expect(judge.violations == [])
  }

  private func draw(_ random: inout Seeded, _ has: EngineCapabilities) -> Operation {
    let trees: [TreeName] = has.contains(.namedTrees) ? [.default, "one", "two"] : [.default]
    let tree = trees[Int.random(in: 0..<trees.count, using: &random)]
    let key = key(&random)
    switch Int.random(in: 0..<100, using: &random) {
    case 0..<35: return .insert(value(&random), for: key, in: tree)
    case 35..<50: return .get(key, in: tree)
    case 50..<62: return .remove(key, in: tree)
    case 62..<74:
      let limit = Bool.random(using: &random) ? Int.max : Int.random(in: 0..<20, using: &random)
      let direction: Direction = Bool.random(using: &random) ? .forward : .backward
      return .scan(range(&random), direction, limit: limit, in: tree)
    case 74..<80 where has.contains(.batches):
      return .batch(
        (0..<Int.random(in: 0..<12, using: &random)).map { _ in
          BatchWrite(
            self.key(&random), Int.random(in: 0..<4, using: &random) == 0 ? nil : value(&random),
            in: has.contains(.crossTreeBatches)
              ? trees[Int.random(in: 0..<trees.count, using: &random)] : tree)
        })
    case 80..<86 where has.contains(.compareExchange):
      return .compareExchange(
        key, expected: Bool.random(using: &random) ? nil : [1],
        desired: Bool.random(using: &random) ? nil : [1], in: tree)
    case 86..<88 where has.contains(.identifiers): return .nextID
    case 88 where has.contains(.treeRemoval): return .dropTree("one")
    case 89..<92: return .flush
    case 92..<94 where has.contains(.checkpoints): return .checkpoint
    default: return .count(in: tree)
    }
  }

  private func key(_ random: inout Seeded) -> Bytes {
    let letters: Bytes = [0, 0x61, 0x62, 0xff]
    return (0..<Int.random(in: 0..<5, using: &random)).map { _ in
      letters[Int.random(in: 0..<4, using: &random)]
    }
  }

  private func value(_ random: inout Seeded) -> Bytes {
    let length = Int.random(in: 0..<10, using: &random) == 0 ? 6000 : 12
    if Int.random(in: 0..<4, using: &random) == 0 { return [1] }
    return (0..<Int.random(in: 0...length, using: &random)).map { _ in
      UInt8.random(in: 0...255, using: &random)
    }
  }

  private func range(_ random: inout Seeded) -> KeyRange {
    switch Int.random(in: 0..<4, using: &random) {
    case 0: return .all
    case 1: return .prefix(key(&random))
    default:
      return KeyRange(
        lower: Bool.random(using: &random) ? nil : key(&random),
        upper: Bool.random(using: &random) ? nil : key(&random))
    }
  }
}
