public import SimulationKit

extension CrashRun {
  public static let checkpointsInParts = CrashRun(
    "checkpoints-in-parts", "of many chunks few change between two checkpoints",
    settings: .tiny(page: 256)
  ) { run in
    for turn in 0..<36 { run.put("key\(100 + turn)", bytes: 16) }
    run.checkpoint()
    for turn in 0..<6 {
      run.put("key\(100 + turn * 6)", bytes: 20)
      if turn % 2 == 1 { run.checkpoint() }
    }
    run.flush()
  }
}
