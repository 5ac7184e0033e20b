internal import Foundation

/// Standard output holds results alone; everything else goes to standard error.
enum Console {
  static func result(_ text: String) { write(line(text), to: .standardOutput) }

  static func error(_ text: String) { write(line(text), to: .standardError) }

  /// Without a newline: for lines that are drawn again.
  static func errorPart(_ text: String) { write(text, to: .standardError) }

  private static func line(_ text: String) -> String { text.hasSuffix("\n") ? text : text + "\n" }

  /// A reader that has gone, as `head` does, is no failure of the run.
  private static func write(_ text: String, to handle: FileHandle) {
    try? handle.write(contentsOf: Data(text.utf8))
  }

  static let errorIsTerminal = isatty(2) == 1
  static let outputIsTerminal = isatty(1) == 1

  /// Colours only on a terminal, and never with NO_COLOR.
  static var hasColours: Bool {
    let forbidden = ProcessInfo.processInfo.environment["NO_COLOR"].map { !$0.isEmpty } ?? false
    return outputIsTerminal && !forbidden
  }

  enum Colour: Int {
    case red = 31
    case green = 32
    case yellow = 33
  }

  static func coloured(_ text: String, _ colour: Colour) -> String {
    hasColours ? "\u{1B}[\(colour.rawValue)m\(text)\u{1B}[0m" : text
  }
}
