import EngineAdapters
import EngineKit
import Testing

/// Each engine beside the reference engine: the same calls at random, those on ranges among them, and the
/// same answers.
@Suite struct SideBySideTests {
  @Test(arguments: Subject.all, [4, 5] as [UInt64])
  func everyAnswerIsTheReferences(_ subject: Subject, _ seed: UInt64) throws {
    var random = Seeded(state: seed)
    let has = subject.factory.capabilities
    try Subject(factory: ReferenceEngineFactory()).withEngine { reference throws in
      try subject.withDatabase { database throws in
        for _ in 0..<3 {
          let engine = try database.open()
          var pairs = Pairs(engine: engine, reference: reference)
          for turn in 0..<400 {
            try pairs.turn(&random, has)
            try #require(pairs.difference == nil, "turn \(turn): \(pairs.difference ?? "")")
          }
          let all = try engine.scan(.all, .forward, limit: .max, in: .default)
          #expect(try all == reference.scan(.all, .forward, limit: .max, in: .default))
          #expect(try engine.checkInvariants() == [])
          try engine.close()
        }
      }
    }
  }

  /// Two engines, views of both, and the first answer in which they differed.
  private struct Pairs {
    let engine: any KeyValueEngine
    let reference: any KeyValueEngine
    var snapshots: (any EngineSnapshot, any EngineSnapshot)?
    var cursors: (any EngineCursor, any EngineCursor)?
    var difference: String?

    mutating func compare<Answer: Equatable>(_ what: String, _ found: Answer, _ wanted: Answer) {
      if found != wanted { difference = "\(what) answered \(found), not \(wanted)" }
    }

    mutating func turn(_ random: inout Seeded, _ has: EngineCapabilities) throws {
      let key = Self.key(&random)
      let range = Self.range(&random)
      switch Int.random(in: 0..<16, using: &random) {
      case 0..<5:
        let value = [UInt8](repeating: key.last ?? 0, count: Int(random.next() % 40))
        compare(
          "insert", try engine.insert(value, for: key, in: .default),
          try reference.insert(value, for: key, in: .default))
      case 5:
        compare(
          "first", try engine.first(range, in: .default),
          try reference.first(range, in: .default))
        compare(
          "last", try engine.last(range, in: .default), try reference.last(range, in: .default))
      case 6:
        compare(
          "before", try engine.entry(before: key, in: .default),
          try reference.entry(before: key, in: .default))
        compare(
          "after", try engine.entry(after: key, in: .default),
          try reference.entry(after: key, in: .default))
      case 7 where has.contains(.pops):
        compare(
          "popFirst", try engine.popFirst(range, in: .default),
          try reference.popFirst(range, in: .default))
      case 8 where has.contains(.pops):
        compare(
          "popLast", try engine.popLast(range, in: .default),
          try reference.popLast(range, in: .default))
      case 9 where has.contains(.rangeRemoval) && random.next() % 4 == 0:
        compare(
          "removeAll", try engine.removeAll(range, in: .default),
          try reference.removeAll(range, in: .default))
      case 10 where has.contains(.compareExchange):
        let change: (Bytes?) -> Bytes? = { old in old.map { $0.count > 50 ? nil : $0 + [1] } ?? [] }
        let (found, wanted) = (
          try engine.update(key, in: .default, change),
          try reference.update(key, in: .default, change)
        )
        compare("update, old", found.old, wanted.old)
        compare("update, new", found.new, wanted.new)
      case 11:
        let entries = (0..<20).map { _ in Entry(Self.key(&random), key) }
        try engine.load(entries, into: .default)
        try reference.load(entries, into: .default)
      case 12 where has.contains(.snapshots): try look(at: key, range, &random)
      case 13 where has.contains(.cursors): try walk(range, &random)
      default:
        let limit = Int.random(in: 0..<60, using: &random)
        compare(
          "scan", try engine.scan(range, .backward, limit: limit, in: .default),
          try reference.scan(range, .backward, limit: limit, in: .default))
        compare(
          "contains", try engine.contains(key, in: .default),
          try reference.contains(key, in: .default))
      }
    }

    private mutating func look(
      at key: Bytes, _ range: KeyRange, _ random: inout Seeded
    ) throws {
      if snapshots == nil || random.next() % 4 == 0 {
        snapshots = (try engine.snapshot(), try reference.snapshot())
      }
      guard let snapshots else { return }
      compare(
        "a snapshot's get", try snapshots.0.get(key, in: .default),
        try snapshots.1.get(key, in: .default))
      compare(
        "a snapshot's scan", try snapshots.0.scan(range, .forward, limit: 50, in: .default),
        try snapshots.1.scan(range, .forward, limit: 50, in: .default))
    }

    private mutating func walk(_ range: KeyRange, _ random: inout Seeded) throws {
      if cursors == nil || random.next() % 4 == 0 {
        cursors = (
          try engine.cursor(range, in: .default), try reference.cursor(range, in: .default)
        )
      }
      guard let cursors else { return }
      for _ in 0..<8 {
        if random.next() & 1 == 0 {
          compare("a cursor's next", try cursors.0.next(), try cursors.1.next())
        } else {
          compare("a cursor's previous", try cursors.0.previous(), try cursors.1.previous())
        }
      }
    }

    private static func key(_ random: inout Seeded) -> Bytes {
      (0..<Int.random(in: 0..<4, using: &random)).map { _ in
        UInt8(truncatingIfNeeded: random.next() % 8 * 36)
      }
    }

    private static func range(_ random: inout Seeded) -> KeyRange {
      switch Int.random(in: 0..<3, using: &random) {
      case 0: return .all
      case 1: return .prefix(key(&random))
      default: return KeyRange(lower: key(&random), upper: key(&random))
      }
    }
  }
}
