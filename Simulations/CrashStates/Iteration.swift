internal import EngineKit
public import SimulationKit

extension CrashRun {
  public static let iteration = CrashRun(
    "iteration", "scans in both directions between writes that split and empty leaves"
  ) { run in
    for turn in 0..<30 {
      run.put("k\(100 + turn * 11 % 30)", bytes: 20)
      if turn % 4 == 3 { run.scan(turn % 8 == 3 ? .forward : .backward) }
      if turn % 5 == 4 { run.remove("k\(100 + turn)") }
      if turn % 10 == 9 { run.flush() }
    }
    run.checkpoint()
    run.scan(.backward)
  }
}
