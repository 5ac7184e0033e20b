public import SimulationKit

extension CrashRun {
  public static let batchesAcrossBlocks = CrashRun(
    "batches-across-blocks", "batches that run across the blocks and segments of the log",
    settings: .tiny(segment: 16 << 10, page: 4096)
  ) { run in
    for turn in 0..<24 {
      run.batch((0..<11).map { ("k\($0)", 70) })
      run.batch([("x", 40), ("y", turn % 2 == 0 ? nil : 40)])
      if turn == 10 { run.flush() }
    }
    run.flush()
  }
}
