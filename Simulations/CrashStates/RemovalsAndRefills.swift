public import SimulationKit

extension CrashRun {
  public static let removalsAndRefills = CrashRun(
    "removals-and-refills", "what a checkpoint merges is filled again at once",
    settings: .tiny(page: 256)
  ) { run in
    for round in 0..<3 {
      for turn in 0..<9 { run.put("key\(100 + turn * 3 + round)", bytes: 24) }
      run.checkpoint()
      for turn in 0..<8 { run.remove("key\(100 + turn * 3 + round)") }
      run.checkpoint()
    }
    run.flush()
  }
}
