internal import ArgumentParser
internal import Luge

/// `lugectl put DIR KEY VALUE`: sets one value.
struct PutVerb: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "put",
    abstract: "Sets the value of a key; it is durable when the command ends.",
    discussion: "Creates the database and the tree where they are missing.")

  @OptionGroup var options: DatabaseOptions
  @Argument(help: "The key.") var key: String
  @Argument(help: "The value.") var value: String
  @OptionGroup var treeOptions: TreeOptions

  private struct Answer: Encodable {
    var key: String
    var former: String?
    var inserted: Bool
  }

  func run() throws {
    let bytes = treeOptions.bytes
    let newKey = try bytes.parse(key, "the key")
    let newValue = try bytes.parse(value, "the value")
    let former = try options.withDatabase(creating: true) { database in
      let former = try database.tree(named: treeOptions.tree)
        .updateValue(newValue, forKey: newKey)
      try database.flush()
      return former
    }
    switch options.format {
    case .json:
      let answer = Answer(
        key: bytes.render(newKey), former: former.map(bytes.render), inserted: former == nil)
      try Console.result(JSONText.line(answer))
    case .text:
      try Console.result(former == nil ? "inserted" : "replaced")
    }
  }
}
