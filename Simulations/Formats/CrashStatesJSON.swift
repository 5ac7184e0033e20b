internal import Foundation
public import SimulationKit

/// The one object that `simulate crash-states --format json` prints.
///
/// `verdict` is "valid", "invalid" or "unknown". `hash` depends on engine, runs and options, not on
/// the number of workers. `statesByClass` counts a state in every class that it belongs to.
public struct CrashStatesJSON: Codable, Sendable {
  public var verdict, engine, hash: String
  public var depth: Int
  public var statesByClass: [String: Int]
  public var states, statesLeftOut, images, recoveries, verified, failingStates: Int
  public var imageBytes: Int
  public var cpuSeconds, imagesPerCoreSecond: Double
  public var runs: [CrashStatesResult]

  public init(engine: String, depth: Int, _ runs: [CrashStatesResult]) {
    self.engine = engine
    self.depth = depth
    self.runs = runs
    var folded = FoldedHash()
    for run in runs { folded.add(run.hash) }
    hash = folded.text
    func sum(_ number: (CrashStatesResult) -> Int) -> Int { runs.reduce(0) { $0 + number($1) } }
    statesByClass = [:]
    for kind in StateClass.allCases {
      statesByClass[kind.rawValue] = sum { $0.states[kind.ordinal] }
    }
    states = sum { $0.stateCount + $0.statesInRecovery }
    statesLeftOut = sum { $0.statesLeftOut }
    images = sum { $0.images + $0.imagesInRecovery }
    recoveries = sum { $0.recoveries }
    verified = sum { $0.verified }
    failingStates = sum { $0.failingStates }
    imageBytes = sum { $0.imageBytes }
    cpuSeconds = runs.reduce(0) { $0 + $1.cpuSeconds }
    imagesPerCoreSecond = cpuSeconds > 0 ? Double(images) / cpuSeconds : 0
    verdict =
      failingStates > 0
      ? "invalid" : runs.contains { $0.obstacle != nil } ? "unknown" : "valid"
  }

  /// As JSON with sorted keys, ending in a newline.
  public func encoded() throws(FormatError) -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
    do {
      return String(decoding: try encoder.encode(self), as: UTF8.self) + "\n"
    } catch {
      throw FormatError("cannot encode the report: \(error)")
    }
  }
}
