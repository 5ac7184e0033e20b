public import SimulationKit

/// Every recorded run, in the order in which they are looked at. To add one: copy the shortest file of this folder and
/// add its line here.
public enum RunCatalogue {
  public static let all: [CrashRun] = [
    .sequentialWrites, .batches, .largeValues, .checkpoints,
  ]

  public static func named(_ name: String) -> CrashRun? { all.first { $0.name == name } }
}
