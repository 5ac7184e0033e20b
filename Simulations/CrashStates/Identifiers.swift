public import SimulationKit

extension CrashRun {
  public static let identifiers = CrashRun(
    "identifiers", "ids are drawn, more than one portion of them"
  ) { run in
    for turn in 0..<40 {
      run.nextID()
      if turn % 4 == 0 { run.put("k\(turn)", bytes: 10) }
      if turn == 30 { run.flush() }
      if turn == 35 { run.checkpoint() }
    }
  }
}
