public import SimulationKit

extension CrashRun {
  public static let sequentialWrites = CrashRun(
    "sequential-writes", "a ring of keys is written round and round, flushed now and then"
  ) { run in
    for turn in 0..<40 {
      run.put("key\(turn % 12)", bytes: 40)
      if turn % 5 == 4 { run.flush() }
    }
  }
}
