import EngineKit
import Testing

/// Snapshots and cursors: one moment, whatever is written afterwards.
@Suite struct ViewTests {
  private static func key(_ number: Int) -> Bytes { [UInt8(number >> 8), UInt8(number & 255)] }

  private func fill(_ engine: any KeyValueEngine, _ count: Int) throws {
    for number in 0..<count {
      _ = try engine.insert([UInt8(number & 255)], for: Self.key(number), in: .default)
    }
  }

  @Test(arguments: Subject.having(.snapshots))
  func aSnapshotStaysAsItWas(_ subject: Subject) throws {
    try subject.withEngine { engine throws in
      try fill(engine, 300)
      try engine.put("k", "there", in: subject.tree)
      let before = try engine.scan(.all, .forward, limit: .max, in: .default)
      let snapshot = try engine.snapshot()
      for number in stride(from: 0, to: 300, by: 3) {
        _ = try engine.remove(Self.key(number), in: .default)
      }
      for number in 250..<400 {
        _ = try engine.insert([1, 2], for: Self.key(number), in: .default)
      }
      try engine.put("k", "changed", in: subject.tree)
      if subject.factory.capabilities.contains(.checkpoints) { try engine.checkpoint() }
      #expect(try snapshot.scan(.all, .forward, limit: .max, in: .default) == before)
      #expect(try snapshot.scan(.all, .backward, limit: .max, in: .default) == before.reversed())
      #expect(
        try snapshot.scan(
          KeyRange(lower: Self.key(90), upper: Self.key(200)), .backward, limit: 7, in: .default)
          == Array(before[193..<200].reversed()))
      for number in [0, 1, 3, 250, 299] {
        #expect(try snapshot.get(Self.key(number), in: .default) == [UInt8(number & 255)])
      }
      #expect(try snapshot.get(Self.key(300), in: .default) == nil)
      #expect(try snapshot.get(bytes("k"), in: subject.tree) == bytes("there"))
      #expect(try engine.snapshot().get(bytes("k"), in: subject.tree) == bytes("changed"))
    }
  }

  @Test(arguments: Subject.having(.cursors))
  func aCursorMeetsEachEntryOnceFromBothEnds(_ subject: Subject) throws {
    try subject.withEngine { engine throws in
      try fill(engine, 200)
      let entries = try engine.scan(.all, .forward, limit: .max, in: .default)
      var random = Seeded(state: 8)
      for range in [3..<200, 0..<1, 50..<50, 20..<131] {
        let cursor = try engine.cursor(
          KeyRange(lower: Self.key(range.lowerBound), upper: Self.key(range.upperBound)),
          in: .default)
        var rest = range
        while !rest.isEmpty {
          if Bool.random(using: &random) {
            #expect(try cursor.next() == entries[rest.removeFirst()])
          } else {
            #expect(try cursor.previous() == entries[rest.removeLast()])
          }
        }
        #expect(try cursor.next() == nil)
        #expect(try cursor.previous() == nil)
        #expect(try cursor.next() == nil)
      }
    }
  }

  @Test(arguments: Subject.having(.cursors))
  func aCursorSeesNothingOfLaterWrites(_ subject: Subject) throws {
    try subject.withEngine { engine throws in
      try fill(engine, 120)
      let entries = try engine.scan(.all, .forward, limit: .max, in: .default)
      let cursor = try engine.cursor(.all, in: .default)
      var rest = entries[...]
      for number in 0..<60 {
        #expect(try cursor.next() == rest.removeFirst())
        _ = try engine.remove(Self.key(119 - number), in: .default)
        _ = try engine.insert([7], for: Self.key(number) + [0], in: .default)
        _ = try engine.insert([8], for: Self.key(number + 1), in: .default)
        #expect(try cursor.previous() == rest.removeLast())
      }
      #expect(try cursor.next() == nil)
    }
  }
}
