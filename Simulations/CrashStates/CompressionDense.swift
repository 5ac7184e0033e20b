public import SimulationKit

extension CrashRun {
  public static let compressionDense = CrashRun(
    "compression-dense", "pages that Zstandard makes smaller", settings: .tiny(page: 4096)
  ) { run in
    for turn in 0..<36 {
      run.put("a key with a long prefix \(turn * 5 % 36)", bytes: 120, repeating: true)
      if turn % 6 == 5 { run.flush() }
      if turn % 12 == 11 { run.checkpoint() }
    }
  }
}
