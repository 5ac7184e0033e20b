import Foundation

/// Data that pages of can be compressed: what people store, not what a generator of numbers makes.
enum Corpus: String, Codable, CaseIterable, Sendable {
  /// A word list: each word under itself; more entries than words get a number.
  case words
  /// JSON documents under numbers.
  case documents

  private static func dictionary() throws -> [Substring] {
    guard let data = FileManager.default.contents(atPath: "/usr/share/dict/words") else {
      throw BenchmarkError("/usr/share/dict/words is missing: install wamerican")
    }
    return String(decoding: data, as: UTF8.self).split(separator: "\n")
  }

  /// Keys, all different, and their values.
  func entries(_ count: Int) throws -> [(key: [UInt8], value: [UInt8])] {
    let words = try Self.dictionary()
    var draws = Draws(seed: 7)
    func word() -> Substring { words[draws.below(words.count)] }
    return (0..<count).map { index in
      let own = words[index % words.count]
      switch self {
      case .words:
        let turn = index / words.count
        return (
          Array((turn == 0 ? String(own) : "\(own) \(turn)").utf8),
          Array(own.utf8)
        )
      case .documents:
        let user = draws.below(100_000)
        let number = String(index)
        return (
          Array("document:\(String(repeating: "0", count: 10 - number.count))\(number)".utf8),
          Array(
            """
            {"id":\(index),"user":{"id":\(user),"name":"\(word()) \(word())"},"tags":["\(word())",\
            "\(word())"],"active":\(user % 3 == 0),"score":\(draws.below(10_000))}
            """.utf8)
        )
      }
    }
  }

  /// Puts the corpus in, and reads it back; returns the bytes of its keys and values.
  func load<E: Engine>(_ count: Int, into engine: E) throws -> Int {
    let entries = try entries(count)
    var session = try engine.makeSession()
    for (key, value) in entries {
      try key.withUnsafeBytes { key in try value.withUnsafeBytes { try session.put(key, $0) } }
    }
    for (key, value) in entries {
      let isRight = try key.withUnsafeBytes { key in
        try session.get(key) { $0.elementsEqual(value) }
      }
      guard isRight == true else {
        throw BenchmarkError("\(E.name): a value of the corpus \(rawValue) was not read back")
      }
    }
    try session.close()
    return entries.reduce(0) { $0 + $1.key.count + $1.value.count }
  }
}
