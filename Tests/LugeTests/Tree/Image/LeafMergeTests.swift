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
