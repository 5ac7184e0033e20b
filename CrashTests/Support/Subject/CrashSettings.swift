internal import EngineKit

/// What is drawn once for a directory: small segments, pages, budgets and intervals, so that a short life reaches
/// checkpoints, evictions and cleaning.
enum CrashSettings {
  static func draw(_ subject: any CrashSubject, seed: UInt64, directory: Int) -> EngineSettings {
    var draw = CrashDraw(seed, 3, UInt64(directory))
    var settings = EngineSettings()
    settings.segmentSize = (32 << 10) << draw.below(4)
    settings.pageSegmentSize = (32 << 10) << draw.below(3)
    settings.pageSize = 1024 << draw.below(3)
    let intervals: [UInt64?] = [nil, 1_000_000, 5_000_000, 20_000_000, 500_000_000]
    settings.flushInterval = intervals[draw.below(intervals.count)]
    settings.checkpointInterval = (32 << 10) << draw.below(5)
    settings.memoryBudget = (256 << 10) << (2 * draw.below(4))
    subject.adjust(&settings, &draw)
    return settings
  }
}
