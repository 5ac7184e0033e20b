internal import ArgumentParser
internal import Luge

/// `lugectl remove DIR KEY`: removes one entry.
struct RemoveVerb: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "remove",
    abstract: "Removes an entry; exits with 1 when there is none.",
    discussion: "The removal is durable when the command ends.")

  @OptionGroup var options: DatabaseOptions
  @Argument(help: "The key.") var key: String
  @OptionGroup var treeOptions: TreeOptions

  private struct Answer: Encodable {
    var key: String
    var former: String?
    var removed: Bool
  }

  func run() throws {
    let bytes = treeOptions.bytes
    let oldKey = try bytes.parse(key, "the key")
    let former = try options.withDatabase { database in
      let former = try treeOptions.existingTree(of: database).removeValue(forKey: oldKey)
      try database.flush()
      return former
    }
    if options.format == .json {
      let answer = Answer(
        key: bytes.render(oldKey), former: former.map(bytes.render), removed: former != nil)
      try Console.result(JSONText.line(answer))
    } else if former != nil {
      try Console.result("removed")
    } else {
      Console.error("lugectl: there is no entry for \(bytes.render(oldKey))")
    }
    if former == nil { throw ExitStatus.violated }
  }
}
