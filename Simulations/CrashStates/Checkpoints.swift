public import SimulationKit

extension CrashRun {
  public static let checkpoints = CrashRun(
    "checkpoints", "a checkpoint after every few writes"
  ) { run in
    for turn in 0..<32 {
      run.put("page\(turn * 7 % 32)", bytes: 60)
      if turn % 6 == 5 { run.checkpoint() }
    }
    run.flush()
  }
}
