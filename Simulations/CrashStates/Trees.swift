public import SimulationKit

extension CrashRun {
  public static let trees = CrashRun(
    "trees", "trees are made, written to, and listed by a checkpoint"
  ) { run in
    for turn in 0..<8 {
      run.put("first", bytes: 20, in: "tree\(turn)")
      run.put("second", bytes: 30, in: "tree\(turn / 2)")
      run.put("k\(turn)", bytes: 20)
      if turn % 3 == 2 { run.flush() }
      if turn == 4 { run.checkpoint() }
    }
    run.flush()
  }
}
