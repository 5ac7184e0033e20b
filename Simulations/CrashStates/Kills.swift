public import SimulationKit

extension CrashRun {
  public static let kills = CrashRun(
    "kills", "killed again and again, so that the log has several eras"
  ) { run in
    for life in 0..<7 {
      for turn in 0..<4 { run.put("key\((life + turn) % 9)", bytes: 30) }
      run.flush()
      run.put("key\(life)", bytes: 12)
      run.kill()
    }
    run.put("last", bytes: 30)
    run.flush()
  }
}
