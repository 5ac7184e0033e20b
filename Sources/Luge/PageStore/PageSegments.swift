/// What is known of each segment file: how long it is and how much in it is live.
///
/// Guarded by the store's lock. Ascends by serial.
///
/// `live` counts what the memory of the database names: a record is live from its append until
/// `release`. Whoever replaces a record names the new one first and releases the old one then.
struct PageSegments {
  struct Segment: Equatable, Sendable {
    let serial: UInt64
    let stream: PageStream?
    /// Bytes handed to the file system.
    var fileBytes = 0
    /// Bytes of live records, buffered ones included.
    var liveBytes = 0
    /// What was released here last was named by no redo from this LSN on; 0 where redo names nothing.
    var freedAt: UInt64 = 0
  }

  private(set) var all: [Segment] = []
  /// Releases of more than was live. Such a thing comes of images that no engine wrote, and of
  /// mistakes; it is a violation that `verify` reports, and no reason to stop.
  private(set) var violations = 0

  mutating func append(_ segment: Segment) {
    precondition(all.last.map { $0.serial < segment.serial } ?? true, "serials ascend")
    all.append(segment)
  }

  /// For what the directory of files gives, in any order.
  mutating func adopt(_ segments: [Segment]) {
    all = segments.sorted { $0.serial < $1.serial }
  }

  func index(of serial: UInt64) -> Int? {
    var low = 0
    var high = all.count
    while low < high {
      let middle = (low + high) / 2
      if all[middle].serial < serial { low = middle + 1 } else { high = middle }
    }
    return low < all.count && all[low].serial == serial ? low : nil
  }

  mutating func setFileBytes(_ serial: UInt64, _ bytes: Int) {
    if let index = index(of: serial) { all[index].fileBytes = bytes }
  }

  mutating func retain(_ serial: UInt64, _ bytes: Int) {
    if let index = index(of: serial) { all[index].liveBytes += bytes }
  }

  mutating func release(_ serial: UInt64, _ bytes: Int, at lsn: UInt64 = 0) {
    guard let index = index(of: serial), all[index].liveBytes >= bytes else {
      violations += 1
      return
    }
    all[index].liveBytes -= bytes
    all[index].freedAt = max(all[index].freedAt, lsn)
  }

  /// All that is live, from here on.
  mutating func setLive(_ table: SegmentBytes) {
    var index = 0
    while index < all.count {
      all[index].liveBytes = Int(table.bytes(of: all[index].serial))
      index += 1
    }
  }

  mutating func remove(_ serial: UInt64) {
    if let index = index(of: serial) { all.remove(at: index) }
  }
}
