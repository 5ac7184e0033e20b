import EngineKit
import HistoryKit

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
  mutating func below(_ bound: Int) -> Int { Int.random(in: 0..<bound, using: &self) }
  mutating func oneIn(_ count: Int) -> Bool { below(count) == 0 }
}

/// Histories of an engine that does not exist: several clients at once, each operation taking
/// effect at one moment between invocation and return, crashes that keep a prefix of the
/// effects, failures with known and unknown outcome. Right by construction, unless a defect is asked for.
struct ImaginaryEngine {
  enum Defect: String, CaseIterable, Sendable {
    case losesFlushedWrite, leavesHole, tearsBatch, staleRead, wrongFormerValue, skipsInScan
    case repeatsID, forgetsAtSecondRecovery
  }

  private enum Stage {
    case idle
    case invoked(Call)
    case effective(Call, Outcome)
  }

  private var random: Seeded
  private let clients: Int
  private let sharesKeys: Bool
  private let defect: Defect?
  let judge: Judge

  private var stages: [Stage]
  private var model = OrderedModel()
  private var base = OrderedModel()
  /// The effects since the last recovery, in the order in which they took place.
  private var log: [[BatchWrite]] = []
  private var durable = 0
  private var nextID: UInt64 = 0
  private var serial = 0
  private var step = 0
  private var lost: [Call] = []
  private var former: [(key: Bytes, value: Bytes?)] = []

  init(seed: UInt64, clients: Int, sharesKeys: Bool, defect: Defect? = nil) {
    random = Seeded(state: seed)
    self.clients = clients
    self.sharesKeys = sharesKeys
    self.defect = defect
    stages = [Stage](repeating: .idle, count: clients)
    judge = Judge(
      checkers: CheckerRegistry.standard.map { $0.make() }, capabilities: Script.everything,
      contract: Script.contract)
  }

  mutating func run(events: Int) {
    for _ in 0..<events {
      step += 1
      if random.oneIn(120) { crash() } else { advance(random.below(clients)) }
    }
    crash()
  }

  private mutating func advance(_ client: Int) {
    switch stages[client] {
    case .idle:
      stages[client] = .invoked(judge.invoked(client: client, draw(client), step: step))
    case .invoked(let call):
      if random.oneIn(60) {
        judge.met(.writeError, step: step)
        let refused = random.oneIn(2)
        judge.returned(
          call, .failure(.inputOutput, message: "drawn", refused: refused), step: step)
        if !refused { lost.append(call) }
        stages[client] = .idle
        return
      }
      stages[client] = .effective(call, perform(call.operation))
    case .effective(let call, let outcome):
      judge.returned(call, spoilt(outcome, of: call.operation), step: step)
      stages[client] = .idle
    }
    // An operation that failed may take effect at any later time.
    if !lost.isEmpty, random.oneIn(8) {
      _ = perform(lost.remove(at: random.below(lost.count)).operation)
    }
  }

  private mutating func draw(_ client: Int) -> Operation {
    let tree: TreeName = random.oneIn(5) ? "t" : .default
    let key = key(client)
    switch random.below(20) {
    case 0..<6: return .insert(value(), for: key, in: tree)
    case 6..<8: return .remove(key, in: tree)
    case 8..<11: return .get(key, in: tree)
    case 11..<13: return .flush
    case 13:
      let expected = random.oneIn(2) ? nil : model.value(for: key, in: tree)
      return .compareExchange(
        key, expected: expected, desired: random.oneIn(3) ? nil : value(), in: tree)
    case 14: return .nextID
    case 15: return .count(in: tree)
    case 16 where random.oneIn(10): return .dropTree("t")
    case 16..<18:
      return .batch(
        (0..<2 + random.below(4)).map { _ in
          BatchWrite(
            self.key(client), random.oneIn(4) ? nil : value(), in: random.oneIn(5) ? "t" : .default)
        })
    default:
      let lower = random.oneIn(2) ? nil : self.key(random.below(clients))
      let limit = random.oneIn(2) ? Int.max : random.below(6)
      return .scan(
        KeyRange(lower: lower), random.oneIn(2) ? .forward : .backward, limit: limit, in: tree)
    }
  }

  private mutating func key(_ client: Int) -> Bytes {
    let owner = sharesKeys ? 0 : UInt8(client)
    return [owner, UInt8(random.below(6))]
  }

  private mutating func value() -> Bytes {
    // Mostly unique; some repeat, so that one value has several explanations.
    if random.oneIn(6) { return [1] }
    serial += 1
    return [UInt8(serial >> 8 & 255), UInt8(serial & 255), 0]
  }

  /// Takes effect, at this moment.
  private mutating func perform(_ operation: Operation) -> Outcome {
    switch operation {
    case .flush: durable = log.count
    case .nextID:
      nextID += 1
      return .identifier(nextID)
    case .insert(let value, let key, let tree):
      former.append((key, model.value(for: key, in: tree)))
      log.append([BatchWrite(key, value, in: tree)])
    case .remove(let key, let tree): log.append([BatchWrite(key, nil, in: tree)])
    case .compareExchange(let key, let expected, let desired, let tree):
      if model.value(for: key, in: tree) == expected {
        log.append([BatchWrite(key, desired, in: tree)])
      }
    case .batch(let writes): log.append(writes)
    case .dropTree(let tree):
      log.append(
        model.scan(.all, .forward, limit: .max, in: tree).map { BatchWrite($0.key, nil, in: tree) })
    default: break
    }
    return model.apply(operation) ?? .done
  }

  private mutating func spoilt(_ outcome: Outcome, of operation: Operation) -> Outcome {
    guard let defect, random.oneIn(4) else { return outcome }
    switch (defect, operation, outcome) {
    case (.staleRead, .get(let key, _), .value(let value)):
      if let stale = former.last(where: { $0.key == key && $0.value != value }) {
        return .value(stale.value)
      }
    case (.wrongFormerValue, .insert, .value): return .value([99, 99])
    case (.skipsInScan, .scan, .entries(let entries)) where entries.count > 2:
      return .entries([entries[0]] + entries[2...])
    case (.repeatsID, .nextID, .identifier(let id)) where id > 1: return .identifier(id - 1)
    default: break
    }
    return outcome
  }

  private mutating func crash() {
    judge.crashed(random.oneIn(2) ? .processKill : .powerLoss, step: step)
    var cut = durable + random.below(log.count - durable + 1)
    if defect == .losesFlushedWrite, durable > 0 { cut = random.below(durable) }
    for client in 0..<clients { stages[client] = .idle }
    lost = []
    var survivors = Array(log[..<cut])
    if defect == .leavesHole, survivors.count > 1 {
      survivors.remove(at: survivors.count - 2)
    }
    if defect == .tearsBatch, let last = survivors.lastIndex(where: { $0.count > 2 }) {
      survivors[last] = Array(survivors[last].dropLast())
    }
    for writes in survivors { _ = base.apply(.batch(writes)) }
    report()
    if random.oneIn(3) {
      judge.crashed(.processKill, step: step)
      if defect == .forgetsAtSecondRecovery,
        let first = base.scan(.all, .forward, limit: 1, in: .default).first
      {
        _ = base.set(nil, for: first.key, in: .default)
      }
      report()
    }
    model = base
    log = []
    durable = 0
    former = []
  }

  private func report() {
    judge.opened(nil, step: step)
    judge.recovered(
      RecoveredState(
        trees: base.trees.map {
          .init(
            $0.name, forward: base.scan(.all, .forward, limit: .max, in: $0.name),
            backward: base.scan(.all, .backward, limit: .max, in: $0.name))
        }), step: step)
  }
}
