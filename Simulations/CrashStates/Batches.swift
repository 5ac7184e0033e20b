public import SimulationKit

extension CrashRun {
  public static let batches = CrashRun(
    "batches", "batches that set and remove the same keys again and again"
  ) { run in
    for turn in 0..<36 {
      run.batch((0..<5).map { ("k\($0)", (turn + $0) % 7 == 0 ? nil : 30) })
      if turn % 4 == 3 { run.flush() }
    }
  }
}
