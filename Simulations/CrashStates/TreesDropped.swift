public import SimulationKit

extension CrashRun {
  public static let treesDropped = CrashRun(
    "trees-dropped", "trees are dropped before, between and after checkpoints, and made again"
  ) { run in
    for turn in 0..<6 {
      for key in 0..<4 { run.put("k\(key)", bytes: 20, in: "tree\(turn % 3)") }
      if turn % 2 == 1 { run.drop("tree\(turn % 3)") }
      run.flush()
      if turn % 3 == 2 { run.checkpoint() }
    }
    run.drop("tree0")
    run.put("again", bytes: 20, in: "tree0")
    run.flush()
  }
}
