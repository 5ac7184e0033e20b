public import SimulationKit

extension CrashRun {
  public static let treesOfLargeValues = CrashRun(
    "trees-of-large-values", "trees whose values lie apart are dropped whole"
  ) { run in
    for turn in 0..<4 {
      for key in 0..<5 { run.put("k\(key)", bytes: 1500, in: "tree\(turn)") }
      run.flush()
    }
    run.checkpoint()
    run.drop("tree1")
    run.drop("tree2")
    run.checkpoint()
    run.put("k0", bytes: 1500, in: "tree1")
    run.checkpoint()
    run.clean()
    run.flush()
  }
}
