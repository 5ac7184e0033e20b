internal import Foundation

/// Standard output holds results alone; everything else goes to standard error.
enum Console {
  static func result(_ text: String) {
    FileHandle.standardOutput.write(Data((text.hasSuffix("\n") ? text : text + "\n").utf8))
  }

  static func error(_ text: String) {
    FileHandle.standardError.write(Data((text.hasSuffix("\n") ? text : text + "\n").utf8))
  }

  /// Without a newline: for lines that are drawn again.
  static func errorPart(_ text: String) { FileHandle.standardError.write(Data(text.utf8)) }

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
