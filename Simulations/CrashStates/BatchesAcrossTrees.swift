public import SimulationKit

extension CrashRun {
  public static let batchesAcrossTrees = CrashRun(
    "batches-across-trees", "one batch writes the same key in three trees"
  ) { run in
    for turn in 0..<30 {
      run.batch(across: ["", "left", "right"], key: "k\(turn % 6)", bytes: 20)
      if turn % 5 == 4 { run.flush() }
      if turn % 12 == 11 { run.checkpoint() }
    }
  }
}
