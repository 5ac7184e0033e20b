internal import ArgumentParser
internal import Luge

/// `lugectl scan DIR`: prints the entries of a range.
struct ScanVerb: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "scan", abstract: "Prints entries in key order.",
    discussion: """
      As text, each line is a key, a tab and a value; as JSON, each line is an object with "key" and \
      "value". Bounds and prefix may be combined.
      """)

  @OptionGroup var options: DatabaseOptions
  @OptionGroup var treeOptions: TreeOptions
  @Option(help: "Only keys that begin with this.") var prefix: String?
  @Option(help: "Only keys from this one on.") var from: String?
  @Option(help: "Only keys below this one.") var to: String?
  @Flag(help: "From the last key to the first.") var reverse = false
  @Option(help: "At most so many entries.") var limit: Int?
  @Flag(help: "Leave the values out.") var keysOnly = false

  private struct Line: Encodable {
    var key: String
    var value: String?
  }

  func validate() throws {
    if let limit, limit < 0 { throw ValidationError("--limit must not be negative") }
  }

  func run() throws {
    let range = try range()
    try options.withDatabase { database in
      var cursor = try treeOptions.existingTree(of: database).cursor(in: range)
      var left = limit ?? .max
      while left > 0, let entry = reverse ? try cursor.previous() : try cursor.next() {
        try show(entry)
        left -= 1
      }
    }
  }

  private func show(_ entry: Entry) throws {
    let bytes = treeOptions.bytes
    let key = bytes.render(entry.key)
    let value = keysOnly ? nil : bytes.render(entry.value)
    switch options.format {
    case .json: try Console.result(JSONText.line(Line(key: key, value: value)))
    case .text: try Console.result(value.map { "\(key)\t\($0)" } ?? key)
    }
  }

  /// What prefix and bounds have in common.
  func range() throws(UsageFailure) -> KeyRange {
    let bytes = treeOptions.bytes
    var range = KeyRange.all
    if let prefix { range = .prefix(try bytes.parse(prefix, "the prefix")) }
    if let from {
      let lower = try bytes.parse(from, "the bound")
      if range.lower.map({ $0.lexicographicallyPrecedes(lower) }) ?? true { range.lower = lower }
    }
    if let to {
      let upper = try bytes.parse(to, "the bound")
      if range.upper.map({ upper.lexicographicallyPrecedes($0) }) ?? true { range.upper = upper }
    }
    return range
  }
}
