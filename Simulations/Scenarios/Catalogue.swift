public import SimulationKit

/// Every scenario there is, in the order of `simulate list`. To add one: copy the shortest file of
/// this folder and add its line here.
public enum Catalogue {
  public static let all: [Scenario] = [
    .ycsbA, .ycsbB, .ycsbC, .ycsbD, .ycsbE, .ycsbF,
    .sequentialWrites, .batches, .iteration, .heldCursors,
    .bankTransfers,
    .fillAndEmpty, .overwrites, .largeValues, .manyTrees,
    .words,
    .randomTorture,
    .canary,
  ]

  /// What `--all` runs: everything but what must fail and what is for long campaigns.
  public static var usual: [Scenario] { all.filter { !$0.mustFail && $0.cost == .smoke } }

  public static func named(_ name: String) -> Scenario? { all.first { $0.name == name } }
}
