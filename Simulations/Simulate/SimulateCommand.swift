internal import ArgumentParser
internal import Foundation

/// The root of `simulate`. One verb a file.
struct SimulateCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "simulate",
    abstract: "Runs storage engines under a deterministic simulation and judges them.",
    discussion: """
      Exit codes: 0 everything held, 1 something was violated, 2 wrong usage or input, \
      3 inconclusive.
      """,
    subcommands: [
      ListVerb.self, RunVerb.self, InterleavingsVerb.self, ParkedVerb.self, ReplayVerb.self,
      ShrinkVerb.self, CheckVerb.self, HistoryVerb.self, CrashStatesVerb.self,
      NthFailureVerb.self, DamageVerb.self,
      WorkerVerb.self, CrashStatesWorker.self, TrialsVerb.self,
    ])

  /// Parses the arguments and runs the verb; never returns a code outside the documented ones.
  static func launch() -> Never {
    // A worker that dies while it is written to must not take the campaign with it.
    signal(SIGPIPE, SIG_IGN)
    do {
      var command = try parseAsRoot()
      try command.run()
      Foundation.exit(ExitStatus.held.rawValue)
    } catch let status as ExitStatus {
      Foundation.exit(status.rawValue)
    } catch let failure as UsageFailure {
      Console.error("simulate: \(failure.description)")
      Foundation.exit(ExitStatus.usage.rawValue)
    } catch {
      if exitCode(for: error) == .success { exit(withError: error) }
      Console.error(fullMessage(for: error))
      Foundation.exit(ExitStatus.usage.rawValue)
    }
  }
}

/// What `simulate` says to the shell.
enum ExitStatus: Int32, Error {
  case held = 0
  case violated = 1
  case usage = 2
  case inconclusive = 3
}

/// Wrong usage or input: one clear line.
struct UsageFailure: Error, CustomStringConvertible {
  var description: String
  init(_ description: String) { self.description = description }
}
