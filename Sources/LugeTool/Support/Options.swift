internal import ArgumentParser
internal import Luge

enum OutputFormat: String, ExpressibleByArgument, CaseIterable { case text, json }

/// Which database, and how results are printed.
struct DatabaseOptions: ParsableArguments {
  @Argument(help: "The directory of the database.", completion: .directory)
  var directory: String

  @Option(help: "How the result is printed.")
  var format = OutputFormat.text

  /// Opens the database, runs `body` and closes it. The first error counts.
  func withDatabase<Result>(
    creating: Bool = false, _ body: (Database) throws -> Result
  ) throws -> Result {
    var configuration = Configuration()
    configuration.createIfMissing = creating
    let database = try Database.open(at: directory, configuration: configuration)
    let result: Result
    do {
      result = try body(database)
    } catch {
      try? database.close()
      throw error
    }
    try database.close()
    return result
  }
}

/// Which tree, and how bytes are read and shown.
struct TreeOptions: ParsableArguments {
  @Option(help: "The tree; the default tree unless said.")
  var tree = ""

  @Flag(help: "Keys and values are hexadecimal digits, in arguments and in the output.")
  var hex = false

  var bytes: ByteText { ByteText(isHexadecimal: hex) }

  /// The tree where it exists; what only reads must not create it.
  func existingTree(of database: Database) throws -> Tree {
    if tree.isEmpty { return database.defaultTree }
    guard try database.treeNames().contains(tree) else {
      Console.error("lugectl: there is no tree \"\(tree)\"")
      throw ExitStatus.violated
    }
    return try database.tree(named: tree)
  }
}
