public import SimulationKit

extension CrashRun {
  public static let cleanerOfEvicted = CrashRun(
    "cleaner-of-evicted", "pages that are on disk alone are moved as they are"
  ) { run in
    for turn in 0..<24 { run.put("key\(100 + turn)", bytes: 50) }
    run.checkpoint()
    for turn in 0..<12 { run.put("key\(100 + turn)", bytes: 55) }
    run.checkpoint()
    for _ in 0..<6 { run.evict() }
    for _ in 0..<4 { run.clean() }
    run.checkpoint()
    run.get("key120")
    run.flush()
  }
}
