import EngineAdapters
import EngineKit
import Interleavings
import SimulationFormats
import SimulationKit

/// Small concurrent programs under the scheduler: two to four threads, a few calls each, judged for linearizability round by
/// round. The first byte chooses the family of programs, the rest is the tape, a run of bytes for each lane.
///
/// Worth its name in a build with the trait `SchedulePoints`, which `ci/fuzz schedules` makes; without it threads switch at
/// I/O, locks and fault points.
final class SchedulesTarget: FuzzTarget, TapeMaker {
  static let name = "schedules"
  static let summary = "small concurrent programs under the scheduler, against the model"
  static let longestInput = 1024
  static let knowsStructure = true

  private let factory = LugeEngineFactory()
  private let options = TapeOptions()
  private var schedules = 0
  private var switches = 0

  /// A few rounds: more of the same database costs more than it finds.
  private static let bounds: [(label: String, most: UInt64)] = [("rounds", 3), ("strategy", 63)]
  private static let favourites = [
    LanedInput.number("client", 0), LanedInput.number("client", 1), LanedInput.number("client", 2),
    LanedInput.number("schedule", 0), LanedInput.number("schedule", 1),
    LanedInput.number("plan", 0),
  ]

  init() {}

  var counts: [(name: String, count: Int)] { [("schedules", schedules), ("switches", switches)] }

  func run(_ input: [UInt8]) throws {
    guard let (_, result) = play(input) else { return }
    schedules += result.counters.schedules
    switches += result.counters.threadSwitches
    if let failure = result.failures.first {
      throw Finding("\(failure.property): \(failure.detail), at step \(failure.step)")
    }
  }

  private func play(
    _ input: [UInt8], isHasty: Bool = true
  ) -> (InterleavingScenario, TapeResult)? {
    var options = options
    options.isHasty = isHasty
    guard let first = input.first else { return nil }
    let scenario = ProgramCatalogue.all[Int(first) % ProgramCatalogue.all.count]
    let driver = LanedDriver(Array(input.dropFirst()), bounds: Self.bounds)
    return (scenario, TapeRunner.run(scenario, factory, driver: driver, options: options))
  }

  func tape(of input: [UInt8]) -> TapeFile {
    let (scenario, result) = play(input, isHasty: false) ?? (ProgramCatalogue.all[0], TapeResult())
    return TapeFile(
      scenario: scenario.name, engine: factory.name, operations: options.operations, seed: 0,
      property: result.failures.first?.property ?? "none",
      detail: result.failures.first?.detail ?? "", choices: result.choices)
  }

  func mutate(_ input: inout [UInt8], _ mutation: inout Mutation) {
    let first =
      mutation.below(32) == 0 ? UInt8(truncatingIfNeeded: mutation.next()) : input.first ?? 0
    var laned = LanedInput(Array(input.dropFirst()))
    laned.mutate(&mutation, favourites: Self.favourites)
    input = [first] + laned.encoded
  }

  func cross(_ left: [UInt8], _ right: [UInt8], _ mutation: inout Mutation) -> [UInt8] {
    let mixed = LanedInput.cross(
      LanedInput(Array(left.dropFirst())), LanedInput(Array(right.dropFirst())), &mutation)
    return [left.first ?? 0] + mixed.encoded
  }

  func seeds() -> [[UInt8]] {
    var seeds: [[UInt8]] = []
    for (place, scenario) in ProgramCatalogue.all.enumerated() {
      for seed in UInt64(1)...3 {
        let result = TapeRunner.run(
          scenario, factory, driver: SeededDriver(seed: seed), options: options)
        let input = [UInt8(place)] + LanedInput(result.choices).encoded
        seeds.append(Array(input.prefix(Self.longestInput)))
      }
    }
    return seeds
  }
}
