public import SimulationKit

extension CrashRun {
  public static let flushedWrites = CrashRun(
    "flushed-writes", "every write is flushed"
  ) { run in
    for turn in 0..<20 {
      run.put("key\(turn % 7)", bytes: 20 + turn)
      run.flush()
    }
  }
}
