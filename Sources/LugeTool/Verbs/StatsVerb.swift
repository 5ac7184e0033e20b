internal import ArgumentParser
internal import Luge

/// `lugectl stats DIR`: prints what the database counts about itself.
struct StatsVerb: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "stats",
    abstract: "Prints the number of entries of each tree and the engine's counters.")

  @OptionGroup var options: DatabaseOptions

  private struct Answer: Encodable {
    var trees: [TreeLine]
    var counters: [String: Int]
  }

  private struct TreeLine: Encodable {
    var name: String
    var entries: Int
  }

  func run() throws {
    let answer = try options.withDatabase { database in
      var trees: [TreeLine] = []
      for name in try database.treeNames() {
        trees.append(TreeLine(name: name, entries: try database.tree(named: name).count()))
      }
      return Answer(trees: trees, counters: Self.counters(of: try database.statistics()))
    }
    switch options.format {
    case .json: try Console.result(JSONText.line(answer))
    case .text:
      let text = ByteText(isHexadecimal: false)
      for tree in answer.trees {
        let name = tree.name.isEmpty ? "(default)" : text.render(Array(tree.name.utf8))
        try Console.result("tree \(name): \(tree.entries) entries")
      }
      for (name, value) in answer.counters.sorted(by: { $0.key < $1.key }) {
        try Console.result("\(name): \(value)")
      }
    }
  }

  /// The whole numbers among the fields, by their names: a counter that is added appears by itself.
  static func counters(of statistics: Statistics) -> [String: Int] {
    var counters: [String: Int] = [:]
    for child in Mirror(reflecting: statistics).children {
      guard let label = child.label, let value = child.value as? any BinaryInteger else { continue }
      counters[label] = Int(clamping: value)
    }
    return counters
  }
}
