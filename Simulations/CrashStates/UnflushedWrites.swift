public import SimulationKit

extension CrashRun {
  public static let unflushedWrites = CrashRun(
    "unflushed-writes", "nothing is flushed but by background work"
  ) { run in
    for turn in 0..<40 {
      run.put("key\(turn % 9)", bytes: 50)
      if turn % 13 == 12 { run.work() }
    }
  }
}
