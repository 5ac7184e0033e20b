public import SimulationKit

extension CrashRun {
  public static let cleaner = CrashRun(
    "cleaner", "live pages are moved out of segments that are mostly dead",
    settings: .tiny(page: 1024)
  ) { run in
    for round in 0..<4 {
      for turn in 0..<8 { run.put("key\(turn)", bytes: 60 + round) }
      run.checkpoint()
    }
    for _ in 0..<4 { run.clean() }
    run.checkpoint()
    run.put("key3", bytes: 60)
    run.flush()
    run.checkpoint()
  }
}
