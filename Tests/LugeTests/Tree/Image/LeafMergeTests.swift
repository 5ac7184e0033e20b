import Testing

@testable import Luge

/// A base and its fragments come to what the writes came to, in whatever parts they were written.
@Suite struct LeafMergeTests {
  typealias Part = (address: UInt64, bytes: [UInt8])

  /// Random writes in rounds, one part a round, beside a model.
  static func chain(
    _ family: KeyFamily, _ random: inout TestRandom
  ) throws -> (parts: [Part], model: SortedModel) {
    let keys = family.keys(40, &random)
    var model = SortedModel()
    for key in keys where random.below(3) > 0 { _ = model.set(key, random.value()) }
    var parts: [Part] = []
    parts.append(
      (8, try ImageCodec.base(model.entries.map { ImageEntry(key: $0.key, value: $0.value) })))
    for round in 1..<(2 + random.below(8)) {
      var changed = SortedModel()
      var removed: [[UInt8]] = []
      for key in keys where random.below(5) == 0 {
        let value: [UInt8]? = random.below(3) == 0 ? nil : random.value()
        _ = model.set(key, value)
        _ = changed.set(key, value ?? [])
        if value == nil { removed.append(key) }
      }
      let entries = changed.entries.map { entry in
        ImageEntry(
          key: entry.key, value: entry.value,
          kind: removed.contains(entry.key) ? .tombstone : .value)
      }
      let previous = parts[parts.count - 1].address
      parts.append(
        (
          UInt64(8 + 1000 * round),
          try ImageCodec.fragment(entries, after: previous, lsn: UInt64(4096 + round))
        ))
    }
    return (parts, model)
  }

  @Test(arguments: KeyFamily.allCases)
  func comesToTheModel(family: KeyFamily) throws {
    var random = TestRandom(21)
    for _ in 0..<40 {
      let (parts, model) = try Self.chain(family, &random)
      let merged = try ImageCodec.merge(parts)
      #expect(merged == model.entries.map { ImageEntry(key: $0.key, value: $0.value) })
    }
  }

  /// A leap leaves out nothing at or above the key, and nothing comes in another order; where keys count up
  /// and values have one length, it leaves out all below but one. (Of several parts one may leap where
  /// another cannot: then some below the key are met, and some not.)
  @Test(arguments: KeyFamily.allCases) func aLeapFindsWhatAWalkFinds(family: KeyFamily) throws {
    var random = TestRandom(11)
    for round in 0..<20 {
      let length = random.below(3) * 20
      var parts: [Part]
      if round % 2 == 0 {
        let keys = family.keys(60, &random)
        let entries = keys.map { key in
          ImageEntry(key: key, value: (0..<length).map { _ in UInt8(random.below(256)) })
        }
        parts = [(8, try ImageCodec.base(entries))]
        if round % 4 == 0 {
          let some = entries.enumerated().filter { $0.offset % 7 == 0 }.map { $0.element }
          parts.append((1008, try ImageCodec.fragment(some, after: 8, lsn: 4097)))
        }
      } else {
        parts = try Self.chain(family, &random).parts
      }
      let all = try ImageCodec.merge(parts)
      var wanted = all.map { entry in entry.key }
      wanted += all.map { entry in entry.key + [0] }
      wanted += all.map { entry in Array(entry.key.dropLast()) }
      wanted += all.compactMap { entry in
        entry.key.last.map { entry.key.dropLast() + [$0 &+ 1] }
      }
      for key in wanted + family.keys(10, &random) {
        let found = try ImageCodec.merge(parts, leapingTo: key)
        let above = all.filter { entry in compareKeys(entry.key, key) >= 0 }
        #expect(found.suffix(above.count) == above[...])
        if parts.count == 1 { #expect(found == all.suffix(found.count)) }
        #expect(zip(found, found.dropFirst()).allSatisfy { compareKeys($0.key, $1.key) < 0 })
        let leaps: [KeyFamily] = [.decimal, .hexadecimal, .bigEndian, .numberThenText]
        if parts.count == 1, round % 2 == 0, leaps.contains(family), all.count > 2,
          all.contains(where: { $0.key == key })
        {
          #expect(found.count == above.count)
        }
      }
    }
  }

  @Test func eachPartSaysWhoseItIs() throws {
    let base = try ImageCodec.base([], low: [1, 2, 3], tree: 300)
    #expect(try LeafImage.owner(of: base) == (300, [1, 2, 3]))
    let fragment = try ImageCodec.fragment([], after: 8, low: [], tree: 2)
    #expect(try LeafImage.owner(of: fragment) == (2, []))
    #expect(throws: LugeError.self) { try LeafImage.owner(of: [1]) }
  }

  @Test func partsThatDoNotFollowAreRefused() throws {
    let entries = [ImageEntry(key: [5], value: [1])]
    let base: Part = (8, try ImageCodec.base(entries, low: [5], high: [9], lsn: 100))
    func fragment(
      _ entries: [ImageEntry] = entries, after: UInt64 = 8, low: [UInt8] = [5], tree: UInt64 = 7,
      lsn: UInt64 = 200
    ) throws -> Part {
      (16, try ImageCodec.fragment(entries, after: after, low: low, tree: tree, lsn: lsn))
    }
    #expect(try ImageCodec.merge([base, fragment()], low: [5]) == entries)
    let bad: [[Part]] = [
      [], [try fragment()], [base, base], [base, try fragment(after: 24)],
      [base, try fragment(low: [4])], [base, try fragment(tree: 8)], [base, try fragment(lsn: 99)],
      [base, try fragment([ImageEntry(key: [9], value: [])])],
      [base, try fragment(), try fragment()],
    ]
    for (index, parts) in bad.enumerated() {
      #expect(throws: LugeError.self, "case \(index)") {
        try ImageCodec.merge(parts, low: [5])
      }
    }
    #expect(throws: LugeError.self) { try ImageCodec.merge([base], low: [6]) }
    #expect(throws: LugeError.self) { try ImageCodec.merge([base], low: [5], tree: 1) }
  }
}
