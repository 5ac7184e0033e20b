import EngineKit
import HistoryKit
import Platform
import Testing

/// A real data set: Debian's list of words (package wamerican), whole.
@Suite struct WordListTests {
  private static let path = "/usr/share/dict/words"

  private func words() throws -> [Bytes] {
    let files = PlatformServices.real.files
    guard let status = try files.status(Self.path) else {
      Issue.record("\(Self.path) is missing: ./ci/install (or apt install wamerican) provides it")
      return []
    }
    let file = try files.open(Self.path, .read)
    defer { file.close() }
    let text = try file.readFully(at: 0, count: Int(status.size))
    return text.split(separator: 0x0a).map { Bytes($0) }
  }

  @Test(arguments: Subject.all)
  func loadedScannedAndHalfRemoved(_ subject: Subject) throws {
    let words = try words()
    try #require(words.count > 50_000)
    var model = OrderedModel()
    for word in words.sorted(by: { $0.precedes($1) }) {
      _ = model.set(Bytes(word.reversed()), for: word, in: .default)
    }
    try subject.withDatabase { database throws in
      var engine = try database.open()
      // In batches where there are any: an engine that syncs each write would take minutes.
      if subject.factory.capabilities.contains(.batches) {
        for start in stride(from: 0, to: words.count, by: 500) {
          try engine.apply(
            words[start..<min(words.count, start + 500)].map {
              BatchWrite($0, Bytes($0.reversed()))
            })
        }
      } else {
        for word in words { _ = try engine.insert(Bytes(word.reversed()), for: word, in: .default) }
      }
      try compare(engine, model)
      for prefix in ["A", "un", "inter", "zyg", "qx", "\u{00e9}"] {
        let range = KeyRange.prefix(bytes(prefix))
        for direction in [Direction.forward, .backward] {
          #expect(
            try engine.scan(range, direction, limit: .max, in: .default)
              == model.scan(range, direction, limit: .max, in: .default), "\(prefix)")
        }
      }
      let removed = stride(from: 0, to: words.count, by: 2).map { words[$0] }
      if subject.factory.capabilities.contains(.batches) {
        for start in stride(from: 0, to: removed.count, by: 500) {
          try engine.apply(
            removed[start..<min(removed.count, start + 500)].map { BatchWrite($0, nil) })
        }
      } else {
        for word in removed { _ = try engine.remove(word, in: .default) }
      }
      for word in removed { _ = model.set(nil, for: word, in: .default) }
      try compare(engine, model)
      try engine.close()
      engine = try database.open()
      try compare(engine, model)
      #expect(try engine.checkInvariants() == [])
      try engine.close()
    }
  }

  private func compare(_ engine: any KeyValueEngine, _ model: OrderedModel) throws {
    let expected = model.scan(.all, .forward, limit: .max, in: .default)
    #expect(try engine.count(in: .default) == expected.count)
    let forward = try engine.scan(.all, .forward, limit: .max, in: .default)
    let backward = try engine.scan(.all, .backward, limit: .max, in: .default)
    // Compared by hand: a failed `#expect` of 100,000 entries would print them.
    #expect(same(forward, expected))
    #expect(same(backward.reversed(), expected))
  }

  private func same(_ left: [Entry], _ right: [Entry]) -> Bool {
    guard left.count == right.count else { return false }
    for place in left.indices {
      if !left[place].key.isSame(as: right[place].key) { return false }
      if !left[place].value.isSame(as: right[place].value) { return false }
    }
    return true
  }
}
