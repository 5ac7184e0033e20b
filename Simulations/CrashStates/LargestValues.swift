public import SimulationKit

extension CrashRun {
  public static let largestValues = CrashRun(
    "largest-values", "values that have a segment each"
  ) { run in
    for turn in 0..<12 {
      run.put("v\(turn % 3)", bytes: 9000)
      run.put("small\(turn)", bytes: 20)
      if turn % 3 == 2 { run.flush() }
      if turn % 5 == 4 { run.checkpoint() }
    }
    run.remove("v0")
    run.remove("v1")
    run.checkpoint()
  }
}
