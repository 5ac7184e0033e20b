/// A source file, read once and shared by all rules.
struct SourceFile: Sendable {
  /// From the root of the repository, with "/".
  let path: String
  let lines: [String]
  let tokens: [Token]
  /// Text of the comments of each line; empty where there is none.
  let comments: [String]
  /// Whether a line holds any code.
  let hasCode: [Bool]

  init(_ path: String, _ text: String) {
    self.path = path
    lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    guard path.hasSuffix(".swift") else {
      tokens = []
      comments = Array(repeating: "", count: lines.count)
      hasCode = Array(repeating: true, count: lines.count)
      return
    }
    let lexer = Lexer(text)
    tokens = lexer.tokens
    comments = lexer.comments
    var hasCode = Array(repeating: false, count: lexer.comments.count)
    for token in lexer.tokens { hasCode[token.line] = true }
    self.hasCode = hasCode
  }

  var name: String { String(path.split(separator: "/").last ?? "") }

  /// Number of lines; the end of the last line begins no further one.
  var length: Int { lines.last == "" ? lines.count - 1 : lines.count }

  func isUnder(_ folder: String) -> Bool { path.hasPrefix(folder + "/") }

  /// Whether the tokens from `index` on read like `texts`.
  func matches(_ index: Int, _ texts: String...) -> Bool {
    guard index >= 0, index + texts.count <= tokens.count else { return false }
    for (distance, text) in texts.enumerated() {
      let token = tokens[index + distance]
      if token.text != text || token.kind == .string { return false }
    }
    return true
  }

  /// The comment that explains a line: its own, or the comment lines right above it.
  func explanation(ofLine line: Int) -> String {
    var text = comments[line]
    var above = line - 1
    while above >= 0, !hasCode[above], !comments[above].isEmpty {
      text = comments[above] + " " + text
      above -= 1
    }
    return text
  }

  /// Whether a comment allows a rule to be broken here, and says why:
  /// `tidy: allow RULE: REASON`, on the line or right above it, with at least three words.
  func allows(_ rule: String, line: Int) -> Bool {
    let text = explanation(ofLine: line)
    guard let marker = text.range(of: "tidy: allow \(rule):") else { return false }
    return text[marker.upperBound...].split(separator: " ").count >= 3
  }
}
