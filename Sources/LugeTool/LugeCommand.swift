internal import ArgumentParser
internal import Foundation
internal import Luge

/// The root of `lugectl`. One verb a file.
struct LugeCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "lugectl",
    abstract: "Looks into Luge databases, checks them, and changes single entries.",
    discussion: """
      Keys and values are byte strings. Arguments are taken as UTF-8, or as hexadecimal digits with \
      --hex. Output shows printable UTF-8 as it is and every other byte as \\n, \\t, \\\\ or \\xNN, or \
      all of it as hexadecimal digits with --hex.

      A database that is open elsewhere is refused. Opening recovers what an earlier process left; \
      only `put` creates a database.

      Exit codes: 0 held or done, 1 violated or not found, 2 wrong usage or input.
      """,
    subcommands: [
      VerifyVerb.self, StatsVerb.self, GetVerb.self, PutVerb.self, RemoveVerb.self, ScanVerb.self,
    ])

  /// Parses the arguments and runs the verb; never ends with a code outside the documented ones.
  static func launch() -> Never {
    do {
      var command = try parseAsRoot()
      try command.run()
      try Console.flush()
      Foundation.exit(ExitStatus.held.rawValue)
    } catch let status as ExitStatus {
      try? Console.flush()
      Foundation.exit(status.rawValue)
    } catch let error as LugeError {
      try? Console.flush()
      Console.error("lugectl: \(error)")
    } catch let failure as UsageFailure {
      try? Console.flush()
      Console.error("lugectl: \(failure.description)")
    } catch {
      if exitCode(for: error) == .success { exit(withError: error) }
      Console.error(fullMessage(for: error))
    }
    Foundation.exit(ExitStatus.usage.rawValue)
  }
}

/// What `lugectl` says to the shell.
enum ExitStatus: Int32, Error {
  case held = 0
  /// A check failed, or what was asked for is not there.
  case violated = 1
  case usage = 2
}

/// Wrong usage or input: one clear line.
struct UsageFailure: Error, CustomStringConvertible {
  var description: String
  init(_ description: String) { self.description = description }
}
