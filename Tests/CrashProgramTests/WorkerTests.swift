import Foundation
import Testing

/// What `simulate` reports does not depend on how many worker processes it has, nor on when which of them dies.
@Suite(.serialized) struct WorkerTests {
  private func run(_ command: String) throws -> CrashRun {
    try CrashRun(
      "simulate", arguments: command.split(separator: " ").map(String.init), isCrashProgram: false)
  }

  /// The lines of a report that tell of no time.
  private func report(_ command: String, jobs: Int, code: Int32) throws -> [Substring] {
    let run = try run("\(command) --jobs \(jobs)")
    #expect(run.code == code, "\(run.output) \(run.error)")
    let times = ["effort ", "\"cpuSeconds\"", "PerCore"]
    return run.output.split(separator: "\n").filter { line in
      !times.contains { line.contains($0) }
    }
  }

  @Test(arguments: [
    // A worker ends by itself after a tape that has trapped.
    (
      "run random-torture --engine traps-at-sixth-write --tapes 8 --operations 9 --seed 5 --format json",
      Int32(1)
    ),
    ("crash-states batches blind-writes --moments 4 --format json", 0),
    ("nth-failure flushed-writes --every 25", 0),
  ])
  func theirNumberChangesNothing(command: String, code: Int32) throws {
    let one = try report(command, jobs: 1, code: code)
    let three = try report(command, jobs: 3, code: code)
    #expect(one.count > 4 && one == three)
  }

  /// A trial that kills its worker is found among those that were to be run by that, and named; the others are run.
  @Test func aTrialThatKillsItsWorkerIsReported() throws {
    let command = "damage small --flips --every 8000 --engine traps-at-damage-luge"
    let one = try report(command, jobs: 1, code: 1)
    #expect(one == (try report(command, jobs: 3, code: 1)))
    let killed = one.filter {
      $0.hasPrefix("FAILED   ") && $0.contains(": the process died by signal ")
    }
    let replays = one.filter { $0.hasPrefix("replay   simulate ") }
    #expect(killed.count > 1 && killed.count == replays.count, "\(one)")
    #expect(one.contains { $0.contains("harmless: ") }, "\(one)")
    // Alone, in the process that is asked for it.
    let replay = try #require(replays.last).dropFirst("replay   simulate ".count)
    let alone = try self.run(String(replay))
    #expect(alone.code == -1, "\(alone.output) \(alone.error)")
  }
}
