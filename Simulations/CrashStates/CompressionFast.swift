public import SimulationKit

extension CrashRun {
  public static let compressionFast = CrashRun(
    "compression-fast", "pages that LZ4 makes smaller", settings: .tiny(page: 2048)
  ) { run in
    for turn in 0..<36 {
      run.put("a key with a long prefix \(turn * 5 % 36)", bytes: 120, repeating: true)
      if turn % 9 == 8 { run.checkpoint() }
    }
    run.flush()
  }
}
