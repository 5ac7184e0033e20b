public import SimulationKit

extension CrashRun {
  public static let emptyCheckpoints = CrashRun(
    "empty-checkpoints", "checkpoints with nothing or next to nothing to write"
  ) { run in
    run.checkpoint()
    run.checkpoint()
    for turn in 0..<10 {
      run.put("only", bytes: 10 + turn)
      run.checkpoint()
      if turn % 3 == 2 { run.checkpoint() }
    }
    run.work()
    run.work()
  }
}
