public import SimulationKit

extension CrashRun {
  public static let redoSegments = CrashRun(
    "redo-segments", "the log rolls over from segment to segment, and they are used again"
  ) { run in
    for turn in 0..<40 {
      run.put("key\(turn % 4)", bytes: 50)
      run.flush()
      if turn % 9 == 8 { run.checkpoint() }
    }
  }
}
