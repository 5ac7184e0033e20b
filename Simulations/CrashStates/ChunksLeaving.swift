public import SimulationKit

extension CrashRun {
  public static let chunksLeaving = CrashRun(
    "chunks-leaving", "whole chunks go out of memory and come back",
    settings: .tiny(segment: 32 << 10, page: 256, memory: 1)
  ) { run in
    for turn in 0..<30 {
      run.put("key\(100 + turn * 11 % 30)", bytes: 20)
      if turn % 2 == 1 { run.evict() }
      if turn % 10 == 9 { run.checkpoint() }
    }
    for turn in 0..<4 { run.get("key\(100 + turn * 7)") }
    run.flush()
  }
}
