import EngineKit
import Testing

/// Neighbours, pops, ranges removed and loaded, checksums, streams.
@Suite struct RangeOperationTests {
  private func withLetters(_ subject: Subject, _ body: (any KeyValueEngine) throws -> Void) throws {
    try subject.withEngine { engine throws in
      for key in ["b", "ba", "d", "f", "fa", "h"] { try engine.put(key, key + key) }
      try body(engine)
    }
  }

  private func text(_ entry: Entry?) -> String? {
    entry.map { String(decoding: $0.key, as: UTF8.self) }
  }

  @Test(arguments: Subject.all)
  func neighboursAreStrict(_ subject: Subject) throws {
    try withLetters(subject) { engine throws in
      #expect(try text(engine.first(.all, in: .default)) == "b")
      #expect(try text(engine.last(.all, in: .default)) == "h")
      #expect(try engine.last(.all, in: .default)?.value == bytes("hh"))
      let range = KeyRange(lower: bytes("ba"), upper: bytes("f"))
      #expect(try text(engine.first(range, in: .default)) == "ba")
      #expect(try text(engine.last(range, in: .default)) == "d")
      #expect(try text(engine.entry(after: bytes("b"), in: .default)) == "ba")
      #expect(try text(engine.entry(after: bytes("c"), in: .default)) == "d")
      #expect(try text(engine.entry(before: bytes("d"), in: .default)) == "ba")
      #expect(try text(engine.entry(before: bytes("z"), in: .default)) == "h")
      #expect(try engine.entry(before: bytes("b"), in: .default) == nil)
      #expect(try engine.entry(before: [], in: .default) == nil)
      #expect(try engine.entry(after: bytes("h"), in: .default) == nil)
      #expect(try text(engine.entry(after: [], in: .default)) == "b")
      _ = try engine.insert([1], for: [], in: .default)
      #expect(try engine.first(.all, in: .default) == Entry([], [1]))
      #expect(try text(engine.entry(after: [], in: .default)) == "b")
      #expect(try engine.contains([], in: .default))
      #expect(try !engine.contains(bytes("c"), in: .default))
      let nowhere = KeyRange(lower: bytes("x"))
      #expect(try engine.first(nowhere, in: .default) == nil)
      #expect(try engine.last(nowhere, in: .default) == nil)
    }
  }

  @Test(arguments: Subject.having(.pops))
  func popsTakeFromTheEnds(_ subject: Subject) throws {
    try withLetters(subject) { engine throws in
      #expect(try engine.popFirst(.all, in: .default) == Entry(bytes("b"), bytes("bb")))
      #expect(try text(engine.popLast(.all, in: .default)) == "h")
      let range = KeyRange(lower: bytes("c"), upper: bytes("fa"))
      #expect(try text(engine.popLast(range, in: .default)) == "f")
      #expect(try text(engine.popFirst(range, in: .default)) == "d")
      #expect(try engine.popFirst(range, in: .default) == nil)
      #expect(try engine.popLast(range, in: .default) == nil)
      #expect(try engine.keys() == ["ba", "fa"])
      #expect(try engine.count(in: .default) == 2)
      #expect(try text(engine.popLast(.all, in: .default)) == "fa")
      #expect(try text(engine.popFirst(.all, in: .default)) == "ba")
      #expect(try engine.popFirst(.all, in: .default) == nil)
    }
  }

  @Test(arguments: Subject.having(.rangeRemoval))
  func rangesAreRemoved(_ subject: Subject) throws {
    try subject.withDatabase { database throws in
      var engine = try database.open()
      var keys = (0..<600).map { [UInt8($0 >> 8), UInt8($0 & 255)] }
      for key in keys { _ = try engine.insert(key, for: key, in: .default) }
      #expect(
        try engine.removeAll(KeyRange(lower: keys[100], upper: keys[350]), in: .default) == 250)
      keys.removeSubrange(100..<350)
      #expect(try engine.scan(.all, .forward, limit: .max, in: .default).map(\.key) == keys)
      let inverted = KeyRange(lower: [5], upper: [1])
      #expect(try engine.removeAll(inverted, in: .default) == 0)
      #expect(try engine.removeAll(.prefix([2]), in: .default) == 88)
      #expect(try engine.count(in: .default) == 262)
      try engine.close()
      engine = try database.open()
      #expect(try engine.count(in: .default) == 262)
      #expect(try engine.removeAll(.all, in: .default) == 262)
      #expect(try engine.removeAll(.all, in: .default) == 0)
      #expect(try engine.first(.all, in: .default) == nil)
      #expect(try engine.checkInvariants() == [])
      try engine.close()
    }
  }

  @Test(arguments: Subject.all)
  func loadingPutsTheLaterOfTwo(_ subject: Subject) throws {
    try subject.withEngine { engine throws in
      _ = try engine.insert([9], for: [0, 7], in: .default)
      var entries = (0..<700).map { Entry([UInt8($0 >> 8), UInt8($0 & 255)], [UInt8($0 & 127)]) }
      let ordered = entries
      entries.insert(Entry([0, 200], [255]), at: 3)
      entries.append(Entry([1, 1], [254]))
      try engine.load(entries, into: .default)
      try engine.load([], into: .default)
      let found = try engine.scan(.all, .forward, limit: .max, in: .default)
      #expect(found.map(\.key) == ordered.map(\.key))
      #expect(try engine.get([0, 7], in: .default) == [7])
      #expect(try engine.get([0, 200], in: .default) == [200 & 127])
      #expect(try engine.get([1, 1], in: .default) == [254])
      #expect(try engine.count(in: .default) == 700)
    }
  }

  @Test(arguments: Subject.having(.namedTrees))
  func checksumsAreOfContents(_ subject: Subject) throws {
    try subject.withDatabase { database throws in
      var engine = try database.open()
      for key in 0..<300 { try engine.put("k\(key)", "v\(key)") }
      for key in (0..<300).reversed() { try engine.put("k\(key)", "v\(key)", in: "other") }
      try engine.put("k7", "changed", in: "other")
      let sum = try engine.checksum(.all, in: .default)
      #expect(try engine.checksum(.all, in: "other") != sum)
      try engine.put("k7", "v7", in: "other")
      #expect(try engine.checksum(.all, in: "other") == sum)
      let range = KeyRange(lower: bytes("k1"), upper: bytes("k2"))
      #expect(try engine.checksum(range, in: "other") == engine.checksum(range, in: .default))
      #expect(try engine.checksum(range, in: .default) != sum)
      // Bytes may not wander between key and value.
      try engine.put("ab", "c", in: "one")
      try engine.put("a", "bc", in: "two")
      #expect(try engine.checksum(.all, in: "one") != engine.checksum(.all, in: "two"))
      try engine.close()
      engine = try database.open()
      #expect(try engine.checksum(.all, in: .default) == sum)
      try engine.close()
    }
  }

  @Test(arguments: Subject.having(.compareExchange))
  func updatesSeeThePresentValue(_ subject: Subject) throws {
    try subject.withEngine { engine throws in
      let made = try engine.update([1], in: .default) { old in old == nil ? [5] : [0] }
      #expect(made.old == nil && made.new == [5])
      let raised = try engine.update([1], in: .default) { old in [old![0] + 1] }
      #expect(raised.old == [5] && raised.new == [6])
      let same = try engine.update([1], in: .default) { $0 }
      #expect(same.old == [6] && same.new == [6])
      let removed = try engine.update([1], in: .default) { _ in nil }
      #expect(removed.old == [6] && removed.new == nil)
      #expect(try !engine.contains([1], in: .default))
      let nothing = try engine.update([1], in: .default) { _ in nil }
      #expect(nothing.old == nil && nothing.new == nil)
    }
  }

  @Test(arguments: Subject.all)
  func streamsGiveWhatScansGive(_ subject: Subject) async throws {
    let platform = subject.platform
    let database = Database(
      factory: subject.factory, platform: platform, directory: subject.directory(platform))
    defer { database.erase() }
    let engine = try database.open()
    for key in 0..<200 { try engine.put("k\(key)", "\(key)") }
    let range = KeyRange(lower: bytes("k1"), upper: bytes("k5"))
    for direction in [Direction.forward, .backward] {
      for range in [KeyRange.all, range, KeyRange(lower: [9], upper: [1])] {
        let found = try await engine.stream(range, direction, in: .default)
        #expect(try found == engine.scan(range, direction, limit: .max, in: .default))
      }
    }
    try engine.close()
  }
}
