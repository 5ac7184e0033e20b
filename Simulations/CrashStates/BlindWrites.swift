public import SimulationKit

extension CrashRun {
  public static let blindWrites = CrashRun(
    "blind-writes", "values are set without a look at the former ones"
  ) { run in
    for turn in 0..<40 {
      run.set("key\(turn * 5 % 17)", bytes: 30)
      if turn % 8 == 7 { run.flush() }
      if turn == 20 { run.checkpoint() }
    }
  }
}
