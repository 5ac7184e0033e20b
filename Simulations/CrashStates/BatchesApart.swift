public import SimulationKit

extension CrashRun {
  public static let batchesApart = CrashRun(
    "batches-apart", "batches so large that they lie in value segments",
    settings: .tiny(page: 1024)
  ) { run in
    for turn in 0..<16 {
      run.batch((0..<8).map { ("k\((turn + $0) % 12)", 200 + turn) })
      if turn % 2 == 1 { run.put("single\(turn)", bytes: 30) }
      if turn % 4 == 3 { run.flush() }
      if turn == 9 { run.checkpoint() }
    }
  }
}
