internal import Platform

/// How a database is opened. Values are checked by `Database.open`, which names the bad one.
public struct Configuration: Equatable, Sendable {
  /// Create the database where the directory holds none. Off: `.notFound` instead.
  public var createIfMissing = true

  /// Refuse to open a database that exists already (`.alreadyExists`).
  public var createNew = false

  /// Who flushes and checkpoints.
  public var backgroundWork = BackgroundWork.automatic

  /// Nanoseconds between background flushes; nil for none. An acknowledged write may be lost at a
  /// crash until it was flushed: this bounds how many. 500 ms unless said.
  public var flushInterval: UInt64? = 500_000_000

  /// Bytes of redo after which a checkpoint is made in the background; a third of what the memory budget leaves
  /// for data, if that is less. Recovery reads at most about twice this much. 128 MiB unless said.
  public var checkpointInterval = 128 << 20

  /// Bytes of one redo segment file; nil takes what the database has, or 4 MiB for a new one.
  /// Fixed for the life of the database.
  public var redoSegmentSize: Int?

  /// Bytes of one page segment file; nil takes what the database has, or 8 MiB for a new one.
  /// Fixed for the life of the database.
  public var pageSegmentSize: Int?

  /// Bytes of one value segment file; nil takes what the database has, or 16 MiB for a new one.
  /// Fixed for the life of the database.
  public var valueSegmentSize: Int?

  /// Bytes of a value from which on it is kept apart from its key, in a value segment: it is read from
  /// its file when it is asked for, and takes no memory otherwise. 4 KiB unless said; at most 64 KiB,
  /// and a sixty-fourth of a page segment.
  public var largeValueSize = 4 << 10

  /// Bytes of the log record of a commit above which its payload goes to a value segment; nil: what the
  /// log buffer allows. At least 1 KiB.
  public var largeCommitSize: Int?

  /// Bytes of memory for everything that grows with data, and for the buffers: what does not fit
  /// stays on disk, and writers wait where it cannot be written fast enough. 256 MiB unless said; at
  /// least `leastMemoryBudget`.
  public var memoryBudget = 256 << 20

  /// Bytes of pages, and of large values, that are collected before they are handed to the file system;
  /// eight such buffers at most. 256 KiB unless said.
  public var pageBufferSize = 256 << 10

  /// Per thousand of the bytes of page segments that are to be live: below that, segments are emptied
  /// and given back to the file system. A higher value takes less space and writes more. 0 switches
  /// the cleaner off. 800 unless said.
  public var cleanerFillTarget = 800

  /// The most page segments whose files are open for reading at once. 256 unless said.
  public var maximumOpenSegments = 256

  /// Bytes of the ring that commits are composed in before they are written; a power of two. 16 MiB
  /// unless said. What of a commit is larger than about half of it, or than a quarter of a page
  /// segment, goes to a value segment.
  public var logBufferSize = 16 << 20

  /// The most entries of a leaf before it is split. 128 unless said.
  public var leafEntries = 128

  /// Places for new keys beside a leaf's entries; when they are taken, it is rebuilt. 32 unless said.
  public var leafAppendSlots = 32

  /// The most leaves whose places one chunk of the directory keeps, from 1 to 4096. 256 unless said.
  public var chunkPages = 256

  /// Whether pages are read past the operating system's cache. Nil, and so unless said: when the segments of
  /// pages are larger than what memory the process may have leaves for that cache beside `memoryBudget`.
  public var readsPastSystemCache: Bool?

  /// Thousandths of the budget that chunks may take; below that they stay in memory without a page there.
  package var chunkShare = 250

  /// Bytes that a leaf should have on disk: a leaf much larger is split before it has `leafEntries`.
  public var pageSize = 16 << 10

  /// How pages are compressed: of the default tree, and of new trees that are opened without a
  /// setting of their own. Not at all unless said.
  public var compression = Compression.none

  /// The most threads that may write at once; each keeps room in the log buffer free.
  public var maximumWriters = 256

  /// The largest commit, in bytes, that needs no extra admission. The log buffer holds room for four a writer.
  public var ordinaryCommitSize = 8 << 10

  /// Attempts of a batch that single writes may abort before it makes new writes wait, for at most 10 ms.
  public var batchLossesBeforeGate = 8

  /// Ids reserved on disk at a time; while they are used up in less than a quarter of a second, up to 64
  /// times as many. When half of them are used the next ones are reserved. So a crash skips at most one and a
  /// half times this number; while ids are used up fast, 96 times.
  public var identifierReservation: UInt64 = 1 << 20

  /// Every setting as its description says.
  public init() {}
}

/// Who does the work that no caller waits for.
public enum BackgroundWork: String, Equatable, Sendable {
  /// Threads of the database flush and checkpoint by themselves.
  case automatic
  /// Nothing happens but in calls of `flush`, `checkpoint` and `performBackgroundWork`. For tests.
  case manual
}

extension Configuration {
  /// Bytes of page segments that the system may keep in memory.
  func cacheBytes(_ files: any FileSystem) -> Int {
    if let past = readsPastSystemCache { return past ? 0 : .max }
    return max(0, Int(clamping: files.cacheBytes) - memoryBudget)
  }

  /// Bytes of the buffers that are there from the beginning.
  public var bufferMemory: Int { logBufferSize + 8 * pageBufferSize }

  /// The most bytes of a value: 64 MiB, and a quarter of `memoryBudget`.
  public var largestValue: Int { min(64 << 20, memoryBudget / 4) }

  /// The most bytes of the keys and values of a batch, with a few for each write: a quarter of
  /// `memoryBudget`, and 1 GiB.
  public var largestBatch: Int { min(1 << 30, memoryBudget / 4) }

  /// The least `memoryBudget` that these settings allow: the buffers, and a few pages.
  public var leastMemoryBudget: Int { bufferMemory + 16 * max(pageSize, 256) }

  /// So much redo that an index of twice as much fits into memory at an opening, for entries of usual sizes.
  var checkpointBytes: Int {
    max(4096, min(checkpointInterval, (memoryBudget - bufferMemory) / 3))
  }

  /// The least size of a segment file in bytes.
  public static let smallestSegmentSize = 16 << 10
  /// Three of them are there at least: small, so that a small database stays small.
  static let defaultRedoSegmentSize = 4 << 20
  static let defaultPageSegmentSize = 8 << 20
  static let defaultValueSegmentSize = 16 << 20

  /// Throws `.invalidArgument` naming the first setting that cannot be.
  func validate() throws(LugeError) {
    func check(_ holds: Bool, _ what: @autoclosure () -> String) throws(LugeError) {
      if !holds { throw LugeError(.invalidArgument, "configuration: \(what())") }
    }
    try check(
      logBufferSize >= 64 << 10 && logBufferSize & (logBufferSize - 1) == 0,
      "logBufferSize must be a power of two of at least 64 KiB, found \(logBufferSize)")
    for (name, size) in [
      ("redoSegmentSize", redoSegmentSize), ("pageSegmentSize", pageSegmentSize),
      ("valueSegmentSize", valueSegmentSize),
    ] {
      guard let size else { continue }
      try check(
        size >= Self.smallestSegmentSize && size % 4096 == 0 && size <= 1 << 30,
        "\(name) must be a multiple of 4096 from 16 KiB to 1 GiB, found \(size)")
    }
    try check(
      pageBufferSize >= 4096 && pageBufferSize <= 1 << 26,
      "pageBufferSize must be from 4 KiB to 64 MiB")
    try check(
      cleanerFillTarget >= 0 && cleanerFillTarget <= 950, "cleanerFillTarget must be from 0 to 950")
    try check(
      maximumOpenSegments >= 1 && maximumOpenSegments <= 1 << 20,
      "maximumOpenSegments must be from 1 to 1048576")
    try check(
      memoryBudget >= leastMemoryBudget,
      "memoryBudget must be at least \(leastMemoryBudget) with these buffers and pages, found "
        + "\(memoryBudget)")
    try check(
      largeValueSize >= 64 && largeValueSize <= 64 << 10,
      "largeValueSize must be from 64 bytes to 64 KiB")
    try check(largeCommitSize ?? 1024 >= 1024, "largeCommitSize must be at least 1 KiB")
    try check(checkpointInterval >= 4096, "checkpointInterval must be at least 4096 bytes")
    try check(leafEntries >= 2 && leafEntries <= 4096, "leafEntries must be from 2 to 4096")
    try check(
      leafAppendSlots >= 1 && leafAppendSlots <= 1024, "leafAppendSlots must be from 1 to 1024")
    try check(chunkPages >= 1 && chunkPages <= 4096, "chunkPages must be from 1 to 4096")
    try check(pageSize >= 256 && pageSize <= 1 << 20, "pageSize must be from 256 bytes to 1 MiB")
    try check(
      maximumWriters >= 1 && maximumWriters <= 1024, "maximumWriters must be from 1 to 1024")
    try check(
      ordinaryCommitSize >= 256 && ordinaryCommitSize % 8 == 0
        && ordinaryCommitSize <= logBufferSize,
      "ordinaryCommitSize must be a multiple of 8 from 256 to logBufferSize")
    try check(
      maximumWriters * 4 * ordinaryCommitSize <= logBufferSize / 2,
      "logBufferSize must be at least 8 x maximumWriters x ordinaryCommitSize")
    try compression.validate()
    try check(batchLossesBeforeGate >= 1, "batchLossesBeforeGate must be at least 1")
    try check(identifierReservation >= 1, "identifierReservation must be at least 1")
    try check(
      flushInterval != 0, "flushInterval must not be 0; nil switches background flushes off")
    try check(!(createNew && !createIfMissing), "createNew needs createIfMissing")
  }
}
