public import SimulationKit

extension CrashRun {
  public static let eviction = CrashRun(
    "eviction", "a tiny budget: pages go out in fragments, and come back",
    settings: .tiny(memory: 1)
  ) { run in
    for turn in 0..<40 {
      run.put("key\(100 + turn * 7 % 24)", bytes: 30)
      if turn % 3 == 2 { run.evict() }
      if turn % 10 == 9 { run.flush() }
    }
    run.checkpoint()
  }
}
