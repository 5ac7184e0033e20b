public import SimulationKit

extension CrashRun {
  public static let background = CrashRun(
    "background", "threads flush, write checkpoints and clean by themselves while writes go on",
    settings: .tiny(background: 20_000_000)
  ) { run in
    for turn in 0..<40 {
      run.put("key\(turn * 3 % 20)", bytes: 90)
      if turn % 4 == 3 { run.pause(milliseconds: 30) }
      if turn % 20 == 19 { run.pause(milliseconds: 500) }
    }
  }
}
