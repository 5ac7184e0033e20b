public import SimulationKit

extension CrashRun {
  public static let evictionOfBlindWrites = CrashRun(
    "eviction-of-blind-writes", "values set in pages that are on disk alone gather in fragments",
    settings: .tiny(memory: 1)
  ) { run in
    for turn in 0..<16 { run.put("key\(100 + turn)", bytes: 30) }
    run.checkpoint()
    for turn in 0..<24 {
      if turn % 2 == 0 { run.evict() }
      run.set("key\(100 + turn * 5 % 16)", bytes: 32)
      if turn % 8 == 7 { run.flush() }
    }
    run.checkpoint()
  }
}
