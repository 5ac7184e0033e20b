public import SimulationKit

extension CrashRun {
  public static let reopenings = CrashRun(
    "reopenings", "closed in good order and opened again, with little and with nothing between"
  ) { run in
    for life in 0..<5 {
      for turn in 0..<life * 2 { run.put("key\(life * 3 + turn)", bytes: 30) }
      if life == 3 { run.remove("key3") }
      run.reopen()
    }
    run.put("last", bytes: 30)
    run.flush()
  }
}
