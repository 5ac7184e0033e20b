import EngineAdapters
import EngineKit
import Scenarios
import SimulationFormats
import SimulationKit

/// Whole tapes of a scenario: operations, restarts, crashes and faults, held against the model by all checkers.
///
/// The bytes are the tape, a run of them for each lane (`LanedInput`). A property that does not hold is a finding; what failed
/// is made a tape file by `ci/fuzz operations --tape FILE`, which `simulate replay` runs.
final class OperationsTarget: FuzzTarget, TapeMaker {
  static let name = "operations"
  static let summary =
    "tapes of a scenario: operations, restarts, crashes, faults, against the model"
  static let longestInput = 2048
  static let knowsStructure = true
  /// A tape goes through most edges many times. Counts fill the corpus three times as fast, with more of the same: as many
  /// runs reached fewer edges, and took an eighth longer.
  static let weighsHitCounts = false

  private let scenario: Scenario = .randomTorture
  private let factory = LugeEngineFactory()
  /// So many operations have a short tape; a mean of 16 and more is wanted.
  private let options = TapeOptions(operations: 18)
  private var tapes = 0
  private var operations = 0
  private var crashes = 0
  private var recoveries = 0

  /// Small segments and few clients: a tape is to take less than a millisecond.
  private static let bounds: [(label: String, most: UInt64)] = [
    ("segmentSize", 2), ("clients", 2),
  ]
  /// Of most inputs what a clean end has left is not opened once more.
  private static let hastyBounds = bounds + [("powerLossAtEnd", 1)]
  /// Lives are what a tape's time is spent on. In every second input no opening is cut short by another crash, and
  /// what is recovered is not recovered twice: campaigns do that.
  private static let mostCrashes = 1
  /// Where restarts and operations come from.
  private static let favourites = [
    LanedInput.number("client", 0), LanedInput.number("client", 0), LanedInput.number("crash", 0),
    LanedInput.number("plan", 0), LanedInput.number("swarm", 0), LanedInput.number("disk", 0),
  ]

  init() {}

  var counts: [(name: String, count: Int)] {
    [("operations", operations), ("restarts", crashes), ("recoveries checked", recoveries)]
  }

  func run(_ input: [UInt8]) throws {
    let result = play(input)
    tapes += 1
    operations += result.counters.operations
    crashes += result.counters.crashes
    recoveries += result.counters.recoveries
    if let failure = result.failures.first {
      throw Finding("\(failure.property): \(failure.detail), at step \(failure.step)")
    }
  }

  /// Hastily, a trace of the run is not made, nor a list of its choices; and of most runs the order of writes is not looked at.
  private func play(_ input: [UInt8], isHasty: Bool = true) -> TapeResult {
    var options = options
    options.isHasty = isHasty
    options.watchesOrder = !isHasty || input.count % 32 == 0
    return TapeRunner.run(
      scenario, factory,
      driver: LanedDriver(
        input, bounds: input.count % 4 == 0 ? Self.bounds : Self.hastyBounds,
        most: [
          ("crash", "crash", Self.mostCrashes), ("crash", "twice", 0),
          ("crash", "inOpening", input.count % 2),
          // Else what is found grows towards openings that are ended one after the other.
          ("fault.point", "answer", input.count % 4 == 1 ? 4 : 1),
        ]),
      options: options)
  }

  func tape(of input: [UInt8]) -> TapeFile {
    let result = play(input, isHasty: false)
    return TapeFile(
      scenario: scenario.name, engine: factory.name, operations: options.operations, seed: 0,
      property: result.failures.first?.property ?? "none",
      detail: result.failures.first?.detail ?? "", choices: result.choices)
  }

  func mutate(_ input: inout [UInt8], _ mutation: inout Mutation) {
    var laned = LanedInput(input)
    laned.mutate(&mutation, favourites: Self.favourites)
    input = laned.encoded
  }

  func cross(_ left: [UInt8], _ right: [UInt8], _ mutation: inout Mutation) -> [UInt8] {
    LanedInput.cross(LanedInput(left), LanedInput(right), &mutation).encoded
  }

  func seeds() -> [[UInt8]] {
    var seeds: [[UInt8]] = []
    var seed: UInt64 = 0
    while seeds.count < 60 && seed < 400 {
      seed += 1
      let result = TapeRunner.run(
        scenario, factory, driver: SeededDriver(seed: seed), options: options)
      // The plan of large segments is cut short by the bounds, and then the rest means something else: no harm.
      let input = LanedInput(result.choices).encoded
      if result.counters.crashes > 0 && input.count <= Self.longestInput { seeds.append(input) }
    }
    return seeds
  }
}
