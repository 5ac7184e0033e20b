public import SimulationKit

extension CrashRun {
  public static let splits = CrashRun(
    "splits", "ascending keys split leaf after leaf"
  ) { run in
    for turn in 0..<48 {
      run.put("key\(1000 + turn)", bytes: 16)
      if turn % 12 == 11 { run.flush() }
      if turn == 30 { run.checkpoint() }
    }
  }
}
