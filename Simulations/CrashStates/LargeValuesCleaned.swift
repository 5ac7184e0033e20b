public import SimulationKit

extension CrashRun {
  public static let largeValuesCleaned = CrashRun(
    "large-values-cleaned", "values that lie apart are moved, and their segments given back"
  ) { run in
    for turn in 0..<20 {
      run.put("v\(turn)", bytes: 3000)
      if turn % 5 == 4 { run.flush() }
    }
    for turn in 0..<20 where turn % 4 != 0 { run.remove("v\(turn)") }
    run.checkpoint()
    for _ in 0..<4 { run.clean() }
    run.checkpoint()
    run.put("after", bytes: 3000)
    run.flush()
  }
}
