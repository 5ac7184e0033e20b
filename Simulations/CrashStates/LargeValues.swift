public import SimulationKit

extension CrashRun {
  public static let largeValues = CrashRun(
    "large-values", "values in segments of their own, replaced and removed between checkpoints"
  ) { run in
    for turn in 0..<24 {
      run.put("v\(turn % 5)", bytes: turn % 3 == 0 ? 5000 : 700)
      if turn % 7 == 6 { run.remove("v\(turn % 4)") }
      if turn % 4 == 3 { run.flush() }
      if turn % 8 == 7 { run.checkpoint() }
    }
  }
}
