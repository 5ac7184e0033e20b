/// One word or mark of a Swift source file. Comments are no tokens; see `SourceFile.comments`.
struct Token: Sendable {
  enum Kind { case word, number, string, symbol }
  var kind: Kind
  /// Of a string literal: what stands between the quotes, interpolations left out.
  var text: String
  /// Counted from 0.
  var line: Int
}

/// Splits Swift source into tokens and comments. It knows nested comments, escapes, raw and
/// multi-line strings, and reads the code inside interpolations; it does not know regular
/// expression literals between slashes, which this house does not use.
struct Lexer {
  private let bytes: [UInt8]
  private var at = 0
  private var line = 0
  private(set) var tokens: [Token] = []
  /// Text of the comments of each line; empty where there is none.
  private(set) var comments: [String]

  init(_ text: String) {
    bytes = Array(text.utf8)
    var lines = 1
    for byte in bytes where byte == UInt8(ascii: "\n") { lines += 1 }
    comments = Array(repeating: "", count: lines)
    code(untilParenthesis: false)
  }

  private func peek(_ distance: Int = 0) -> UInt8 {
    at + distance < bytes.count ? bytes[at + distance] : 0
  }

  private func text(_ range: Range<Int>) -> String {
    String(decoding: bytes[range], as: UTF8.self)
  }

  private static func isWord(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), 128...255:
      true
    default: false
    }
  }

  /// Reads code to the end of the file, or to the parenthesis that closes an interpolation.
  private mutating func code(untilParenthesis: Bool) {
    var depth = 0
    while at < bytes.count {
      let byte = bytes[at]
      switch byte {
      case UInt8(ascii: "\n"):
        line += 1
        at += 1
      case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\r"):
        at += 1
      case UInt8(ascii: "/") where peek(1) == UInt8(ascii: "/"):
        lineComment()
      case UInt8(ascii: "/") where peek(1) == UInt8(ascii: "*"):
        blockComment()
      case UInt8(ascii: "\""):
        string(hashes: 0)
      case UInt8(ascii: "#") where opensRawString():
        let start = at
        while peek() == UInt8(ascii: "#") { at += 1 }
        string(hashes: at - start)
      case UInt8(ascii: "("):
        depth += 1
        symbol()
      case UInt8(ascii: ")"):
        if untilParenthesis && depth == 0 { return }
        depth -= 1
        symbol()
      case _ where Self.isWord(byte):
        word()
      default:
        symbol()
      }
    }
  }

  private func opensRawString() -> Bool {
    var distance = 0
    while peek(distance) == UInt8(ascii: "#") { distance += 1 }
    return peek(distance) == UInt8(ascii: "\"")
  }

  private mutating func symbol() {
    tokens.append(Token(kind: .symbol, text: text(at..<at + 1), line: line))
    at += 1
  }

  private mutating func word() {
    let start = at
    while at < bytes.count && Self.isWord(bytes[at]) { at += 1 }
    let isNumber = bytes[start] >= UInt8(ascii: "0") && bytes[start] <= UInt8(ascii: "9")
    tokens.append(
      Token(kind: isNumber ? .number : .word, text: text(start..<at), line: line))
  }

  private mutating func lineComment() {
    let start = at
    while at < bytes.count && bytes[at] != UInt8(ascii: "\n") { at += 1 }
    comments[line] += text(start..<at)
  }

  private mutating func blockComment() {
    var depth = 0
    var start = at
    while at < bytes.count {
      if peek() == UInt8(ascii: "/") && peek(1) == UInt8(ascii: "*") {
        depth += 1
        at += 2
      } else if peek() == UInt8(ascii: "*") && peek(1) == UInt8(ascii: "/") {
        depth -= 1
        at += 2
        if depth == 0 { break }
      } else if peek() == UInt8(ascii: "\n") {
        comments[line] += text(start..<at)
        line += 1
        at += 1
        start = at
      } else {
        at += 1
      }
    }
    comments[line] += text(start..<at)
  }

  private func closes(quotes: Int, hashes: Int) -> Bool {
    for index in 0..<quotes where peek(index) != UInt8(ascii: "\"") { return false }
    for index in 0..<hashes where peek(quotes + index) != UInt8(ascii: "#") { return false }
    return true
  }

  private mutating func string(hashes: Int) {
    let multiline = peek(1) == UInt8(ascii: "\"") && peek(2) == UInt8(ascii: "\"")
    let quotes = multiline ? 3 : 1
    at += quotes
    let token = tokens.count
    tokens.append(Token(kind: .string, text: "", line: line))
    var content: [UInt8] = []
    while at < bytes.count && !closes(quotes: quotes, hashes: hashes) {
      let byte = bytes[at]
      if byte == UInt8(ascii: "\n") {
        if !multiline { break }
        line += 1
      }
      guard byte == UInt8(ascii: "\\"),
        (0..<hashes).allSatisfy({ peek(1 + $0) == UInt8(ascii: "#") })
      else {
        content.append(byte)
        at += 1
        continue
      }
      at += 1 + hashes
      if peek() == UInt8(ascii: "(") {
        at += 1
        code(untilParenthesis: true)
      } else {
        content.append(peek())
        if peek() == UInt8(ascii: "\n") { line += 1 }
      }
      at += 1
    }
    at = Swift.min(at + quotes + hashes, bytes.count)
    tokens[token].text = String(decoding: content, as: UTF8.self)
  }
}
