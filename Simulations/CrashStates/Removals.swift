public import SimulationKit

extension CrashRun {
  public static let removals = CrashRun(
    "removals", "everything is removed again, and leaves are merged"
  ) { run in
    for turn in 0..<24 { run.put("key\(100 + turn)", bytes: 20) }
    run.checkpoint()
    for turn in 0..<24 {
      run.remove("key\(100 + turn)")
      if turn % 8 == 7 { run.flush() }
    }
    run.checkpoint()
    run.put("last", bytes: 10)
    run.checkpoint()
  }
}
