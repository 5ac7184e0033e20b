public import SimulationKit

extension CrashRun {
  public static let fullDisk = CrashRun(
    "full-disk", "a disk that is too small: writes are refused, and then there is room",
    capacity: 176 << 10
  ) { run in
    for turn in 0..<26 {
      run.put("v\(turn)", bytes: 2500)
      if turn % 4 == 3 { run.flush() }
    }
    for turn in 0..<8 { run.remove("v\(turn)") }
    run.checkpoint()
    run.work()
    run.put("after", bytes: 20)
    run.flush()
  }
}
