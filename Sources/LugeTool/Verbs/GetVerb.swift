internal import ArgumentParser
internal import Luge

/// `lugectl get DIR KEY`: prints one value.
struct GetVerb: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "get", abstract: "Prints the value of a key; exits with 1 when there is none.")

  @OptionGroup var options: DatabaseOptions
  @Argument(help: "The key.") var key: String
  @OptionGroup var treeOptions: TreeOptions
  @Flag(help: "Print the bytes of the value as they are, and nothing else.")
  var raw = false

  private struct Answer: Encodable {
    var key: String
    var value: String?
    var found: Bool
  }

  func validate() throws {
    if raw && (treeOptions.hex || options.format == .json) {
      throw ValidationError("--raw goes neither with --hex nor with --format json")
    }
  }

  func run() throws {
    let bytes = treeOptions.bytes
    let wanted = try bytes.parse(key, "the key")
    let value = try options.withDatabase { database in
      try treeOptions.existingTree(of: database).value(forKey: wanted)
    }
    if options.format == .json {
      let answer = Answer(
        key: bytes.render(wanted), value: value.map(bytes.render), found: value != nil)
      try Console.result(JSONText.line(answer))
    } else if let value {
      if raw { try Console.bytes(value) } else { try Console.result(bytes.render(value)) }
    } else {
      Console.error("lugectl: there is no entry for \(bytes.render(wanted))")
    }
    if value == nil { throw ExitStatus.violated }
  }
}
