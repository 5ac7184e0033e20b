internal import EngineKit

/// What one thread of a pair does three times.
public enum PairAction: String, CaseIterable, Sendable {
  case get, insert, overwrite, remove, exchange, scanForward, scanBackward, batch
  /// An insert large enough that a leaf of a small page splits.
  case splittingInsert
  /// A removal, and the checkpoint whose walk merges what it has left.
  case mergingRemove
  case eviction, pageIn, cleanerMove, checkpoint, flush

  var requiredCapabilities: EngineCapabilities {
    switch self {
    case .exchange: .compareExchange
    case .batch: .batches
    case .mergingRemove, .checkpoint: .checkpoints
    default: []
    }
  }

  /// What is to have happened before, so that it finds something to do.
  var needsStorage: Bool {
    switch self {
    case .mergingRemove, .eviction, .pageIn, .cleanerMove, .checkpoint: true
    default: false
    }
  }
}

/// Two threads that each do one thing three times, or once, on a handful of keys.
public struct ProgramPair: Sendable, Hashable {
  public var first: PairAction
  public var second: PairAction
  /// Calls of one kind that one thread makes.
  public var repetitions: Int

  public init(_ first: PairAction, _ second: PairAction, repetitions: Int = 3) {
    self.first = first
    self.second = second
    self.repetitions = repetitions
  }

  /// Every unordered pair, equal ones included.
  public static let all: [ProgramPair] = {
    var all: [ProgramPair] = []
    for (place, first) in PairAction.allCases.enumerated() {
      for second in PairAction.allCases[place...] { all.append(ProgramPair(first, second)) }
    }
    return all
  }()

  /// The same of which single calls are explored in every way that differs, by `TraceExploration`.
  public static let singles: [ProgramPair] = {
    let actions: [PairAction] = [.get, .insert, .overwrite, .remove, .exchange, .splittingInsert]
    var all: [ProgramPair] = []
    for (place, first) in actions.enumerated() {
      for second in actions[place...] { all.append(ProgramPair(first, second, repetitions: 1)) }
    }
    return all
  }()

  /// Every way to order two single calls is explored, however many preemptions it takes.
  public var isSingle: Bool { repetitions == 1 }

  /// Those that a tape may ask for.
  var mostPreemptions: Int { isSingle ? 4095 : 3 }

  /// The calls of one thread, which does it so many times. Both have the same keys in mind, so that they meet. Places with even
  /// numbers up to ten are there at the start.
  func program(
    _ action: PairAction, _ times: Int, _ world: inout ProgramWorld
  ) -> [Operation] {
    var program: [Operation] = []
    for number in 0..<times { program += ProgramPair.operations(action, number, &world) }
    return program
  }

  private static func operations(
    _ action: PairAction, _ number: Int, _ world: inout ProgramWorld
  ) -> [Operation] {
    func key(_ place: Int) -> Bytes { ProgramWorld.key(place) }
    func value(_ length: Int = 8) -> Bytes {
      let number = world.newValue(length: length)
      return world.bytes(number) ?? []
    }
    switch action {
    case .get: return [.get(key(2 + 2 * (number % 2)), in: .default)]
    case .insert: return [.insert(value(), for: key(1 + 2 * number), in: .default)]
    case .overwrite: return [.insert(value(), for: key(2 + 2 * (number % 2)), in: .default)]
    case .remove: return [.remove(key(2 + 2 * number), in: .default)]
    case .exchange:
      // What was there at the start, then nothing, then that again.
      let expected = number == 1 ? nil : world.bytes(2)
      return [
        .compareExchange(key(2), expected: expected, desired: value(), in: .default)
      ]
    case .scanForward: return [.scan(.all, .forward, limit: .max, in: .default)]
    case .scanBackward: return [.scan(.all, .backward, limit: .max, in: .default)]
    case .batch:
      return [
        .batch([
          BatchWrite(key(1), value()), BatchWrite(key(2), value()), BatchWrite(key(6), nil),
        ])
      ]
    case .splittingInsert: return [.insert(value(200), for: key(3 + 2 * number), in: .default)]
    case .mergingRemove: return [.remove(key(2 + 2 * number), in: .default), .checkpoint]
    case .eviction: return [.evict]
    case .pageIn: return [.evict, .get(key(2 + 2 * (number % 2)), in: .default)]
    case .cleanerMove: return [.clean]
    case .checkpoint: return [.checkpoint]
    case .flush: return [.flush]
    }
  }
}
