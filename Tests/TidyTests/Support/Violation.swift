import Testing

/// A place that breaks a rule.
struct Violation: CustomStringConvertible {
  var path: String
  /// Counted from 1; 0 where the file as a whole is meant.
  var line: Int
  var message: String

  init(_ file: SourceFile, _ line: Int, _ message: String) {
    self.path = file.path
    self.line = line + 1
    self.message = message
  }

  init(_ path: String, _ message: String) {
    self.path = path
    self.line = 0
    self.message = message
  }

  var description: String { line == 0 ? "\(path): \(message)" : "\(path):\(line): \(message)" }
}

/// Reports every violation as an issue of its own, so that one run shows them all.
func expectNone(_ violations: [Violation], sourceLocation: SourceLocation = #_sourceLocation) {
  for violation in violations {
    Issue.record("\(violation)", sourceLocation: sourceLocation)
  }
}
