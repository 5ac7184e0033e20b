/// A value in a history file: what JSON and EDN have in common. Keywords and words are text.
enum Datum: Hashable, Sendable {
  case nothing
  case number(Int)
  case flag(Bool)
  case text([UInt8])
  case list([Datum])

  var number: Int? {
    if case .number(let number) = self { return number }
    return nil
  }

  var list: [Datum]? {
    if case .list(let list) = self { return list }
    return nil
  }

  func isText(_ text: StaticString) -> Bool {
    guard case .text(let bytes) = self, bytes.count == text.utf8CodeUnitCount else { return false }
    var index = 0
    while index < bytes.count {
      // Within the literal, whose length was compared.
      if unsafe bytes[index] != text.utf8Start[index] { return false }
      index += 1
    }
    return true
  }

  /// The order of keys: numbers before text, text by bytes.
  func precedes(_ other: Datum) -> Bool {
    switch (self, other) {
    case (.number(let one), .number(let other)): one < other
    case (.text(let one), .text(let other)): one.lexicographicallyPrecedes(other)
    case (.number, .text): true
    default: false
    }
  }

  /// For messages.
  var text: String {
    switch self {
    case .nothing: "nil"
    case .number(let number): "\(number)"
    case .flag(let flag): "\(flag)"
    case .text(let bytes): String(decoding: bytes, as: UTF8.self)
    case .list(let list): "[" + list.map(\.text).joined(separator: " ") + "]"
    }
  }
}
