public import SimulationKit

extension CrashRun {
  public static let pageSegments = CrashRun(
    "page-segments", "pages fill one segment after the other, which come back to be used again",
    settings: .tiny(page: 4096)
  ) { run in
    for round in 0..<6 {
      for turn in 0..<6 { run.put("key\(turn)", bytes: 180) }
      run.checkpoint()
      if round % 2 == 1 { run.work() }
    }
  }
}
