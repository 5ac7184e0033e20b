public import SimulationKit

extension CrashRun {
  public static let splitsDownwards = CrashRun(
    "splits-downwards", "descending keys, in leaves of four entries", settings: .tiny(page: 256)
  ) { run in
    for turn in 0..<44 {
      run.put("key\(2000 - turn)", bytes: 12)
      if turn % 11 == 10 { run.checkpoint() }
    }
    run.flush()
  }
}
