public import SimulationKit

extension CrashRun {
  public static let identifiersAndKills = CrashRun(
    "identifiers-and-kills", "ids go on growing in the next life, and the one after it"
  ) { run in
    for life in 0..<4 {
      for turn in 0..<8 {
        run.nextID()
        if turn == life { run.put("k\(life)", bytes: 10) }
      }
      if life % 2 == 0 { run.kill() } else { run.reopen() }
    }
    run.nextID()
  }
}
