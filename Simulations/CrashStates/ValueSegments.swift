public import SimulationKit

extension CrashRun {
  public static let valueSegments = CrashRun(
    "value-segments", "values fill one value segment after the other",
    settings: .tiny(segment: 32 << 10)
  ) { run in
    for turn in 0..<30 {
      run.put("v\(turn % 4)", bytes: 2500)
      if turn % 6 == 5 { run.flush() }
      if turn % 15 == 14 { run.checkpoint() }
    }
  }
}
