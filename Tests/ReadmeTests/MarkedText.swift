import Foundation

/// Parts of a text that stand between two marks.
enum MarkedText {
  /// The examples that a page shows.
  static func swiftBlocks(of page: String) -> [String] {
    var blocks: [String] = []
    var place = page.startIndex
    while let found = between("```swift\n", "```\n", in: page[place...]) {
      blocks.append(String(found))
      place = found.endIndex
    }
    return blocks
  }

  /// The lines of a function's body between two marks, without their indentation; nil without the marks.
  static func unindented(_ start: String, _ end: String, in code: String) -> String? {
    between(start, end, in: code[...])?
      .split(separator: "\n", omittingEmptySubsequences: false)
      .map { $0.hasPrefix("  ") ? $0.dropFirst(2) : $0 }.joined(separator: "\n")
  }

  private static func between(
    _ start: String, _ end: String, in text: Substring
  ) -> Substring? {
    guard let opening = text.range(of: start),
      let closing = text.range(of: end, range: opening.upperBound..<text.endIndex)
    else { return nil }
    return text[opening.upperBound..<closing.lowerBound]
  }
}
