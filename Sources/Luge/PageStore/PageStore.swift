import Platform

/// The page segments: records appended by checkpoints, evictions and the cleaner, read by address.
/// A second one of these keeps the value segments: large values and large commits, appended by
/// whoever writes them.
///
/// The contract:
/// - `append` puts the record into memory and returns its address; it does not wait for a device
///   unless the device is slower than the appends. From then on the record can be read, by anyone,
///   until it is released: from memory until it is written, then from its file. So a page may be
///   evicted as soon as `append` has returned.
/// - `append` that throws has appended nothing: the page stays resident. A write that fails loses
///   nothing either: its bytes stay in memory and the next append that needs room, or the next
///   `sync`, writes the same bytes to the same place once more. So a full disk or a failed write
///   costs room in the buffers, and then refuses appends; it never makes void what was appended.
/// - `sync` makes durable all that was appended before the call. A sync that fails is final: what
///   it did not cover may be lost, so appends and syncs throw `.failed` from here on. Reads go on;
///   one that finds damage then throws `.failed` too, because it may be that loss that it found.
/// - What is on disk counts when a superblock names it, and not before.
///
/// Orders and invariants:
/// - An address is never used twice: each opening begins new segments, above every serial seen.
/// - Records of a stream are written in the order of their addresses, the segment's header first. A
///   file comes into being with its first write, so an address of a segment without a file is in a
///   buffer.
/// - A synced block is never written again: what follows a sync begins at a fresh block.
/// - `sync` writes the buffers, then syncs every file written to since the last good sync, then the
///   directory where a file was made.
/// - A segment goes when nothing in memory names a record in it (live bytes), nor does the newest
///   durable superblock (named bytes), nor redo that recovery would replay (`freedAt`), and it is
///   not appended to: `reclaim`.
/// - Locks, in this order: `syncLock` (one sync at a time), `writeLock` (one writer of files at a
///   time; held during writes, not during syncs), `lock` (all state; a few instructions).
final class PageStore: @unchecked Sendable {
  // Unchecked: see the last invariant.
  static let defaultBufferBytes = 256 << 10
  static let defaultOpenFiles = 256

  let files: any FileSystem
  let directory: String
  let family: SegmentFamily
  let segmentBytes: Int
  let bufferBytes: Int

  let syncLock: Lock
  let writeLock: Lock
  let lock: Lock
  let failureCell = FailureCell()
  let openFiles: SegmentFiles

  // Guarded by `lock`.
  var segments = PageSegments()
  var nextSerial: UInt64
  /// Bytes that the newest durable superblock names.
  var named = SegmentBytes()
  /// Bytes released since the walk of a checkpoint began, which it may name; nil while there is none.
  var outrun: SegmentBytes?
  let hot = PageAppender()
  let cold = PageAppender()
  /// Redo start of the newest durable superblock.
  var redoStart: UInt64 = 0

  // Guarded by `writeLock`: each holds a use of its files.
  var writers: [SegmentFile?] = [nil, nil]
  var unsynced: [SegmentFile] = []
  var directoryIsUnsynced = false

  /// 1 when something was appended since the last sync began.
  let isUnsynced = AtomicWord(0)
  let counters = PageCounters()

  /// See `init`.
  private let cacheBytes: Int
  /// Not 0: the segments are larger than that, so records are read past the system's cache.
  let readsDirectly = AtomicWord(0)

  /// Finds the segments of a directory. Changes nothing.
  ///
  /// - Parameters:
  ///   - segmentBytes: the size at which a segment is full, with its header: 8 KiB to 2 GiB.
  ///   - nextSerial: of the superblock; no lower serial is ever given to a new segment.
  ///   - cacheBytes: of the segments that the system may keep in memory beside the process's own.
  ///   - bufferBytes: of each stream that is not handed to the file system yet; twice that at most.
  init(
    platform: PlatformServices, directory: String, family: SegmentFamily = .pages,
    segmentBytes: Int, nextSerial: UInt64, bufferBytes: Int = PageStore.defaultBufferBytes,
    openFiles: Int = PageStore.defaultOpenFiles, cacheBytes: Int = .max
  ) throws(LugeError) {
    guard segmentBytes >= 2 * PageFormat.blockBytes, segmentBytes <= 1 << 31 else {
      throw LugeError(
        .invalidArgument, "a \(family.name) segment must have 8 KiB to 2 GiB",
        found: "\(segmentBytes)")
    }
    files = platform.files
    self.directory = directory
    self.family = family
    self.segmentBytes = segmentBytes
    self.bufferBytes = min(bufferBytes, segmentBytes)
    syncLock = Lock(threads: platform.threads)
    writeLock = Lock(threads: platform.threads)
    lock = Lock(threads: platform.threads)
    self.cacheBytes = cacheBytes
    self.openFiles = SegmentFiles(limit: openFiles, threads: platform.threads)
    self.nextSerial = max(nextSerial, 1)
    var found: [PageSegments.Segment] = []
    do throws(PlatformError) {
      for name in try files.list(directory) {
        guard let serial = SegmentName.serial(family.prefix, name) else { continue }
        let status = try files.status("\(directory)/\(name)")
        found.append(
          PageSegments.Segment(
            serial: serial, stream: nil, fileBytes: Int(clamping: status?.size ?? 0)))
        if serial >= self.nextSerial, serial < 1 << 32 { self.nextSerial = serial + 1 }
      }
    } catch {
      throw LugeError(error, doing: "listing the \(family.name) segments")
    }
    segments.adopt(found)
    noteSize()
  }

  /// The number of segments has changed. With the store's lock held.
  func noteSize() {
    // By number: that a segment is not full yet does not matter where there are many.
    let isLarge = segments.all.count > cacheBytes / segmentBytes
    readsDirectly.store(isLarge ? 1 : 0)
  }

  /// The largest payload that `append` takes, in bytes. A value that does not fit into a segment gets
  /// one of its own.
  var largestPayload: Int {
    if family == .values { return PageStore.largestValuePayload }
    return segmentBytes - PageFormat.blockBytes - PageFormat.recordHeaderBytes - 8
  }
  private static let largestValuePayload = Int(ValueReference.longest) + (1 << 17)

  func appender(_ stream: PageStream) -> PageAppender { stream == .hot ? hot : cold }

  /// Whether a sync has failed: nothing is appended any more.
  var hasFailed: Bool { failureCell.isSet }

  func checkUsable() throws(LugeError) {
    if let failure = failureCell.error { throw Self.refusal(failure) }
  }

  static func refusal(_ failure: LugeError) -> LugeError {
    if failure.code == .killed { return failure }
    return LugeError(
      .failed, "an earlier failure is final: \(failure.message)", path: failure.path,
      underlying: failure.underlying)
  }

  /// For the superblock: new segments get this serial or a higher one.
  func nextSegmentSerial() throws(LugeError) -> UInt64 {
    try lock.acquire()
    defer { lock.unlock() }
    return nextSerial
  }

  /// Closes files; what was not synced is void. Call it once, when nothing else is called any more.
  func close() {
    guard (try? writeLock.lock()) != nil else { return }
    defer { writeLock.unlock() }
    for file in unsynced { file.release() }
    unsynced = []
    var stream = 0
    while stream < writers.count {
      writers[stream]?.release()
      writers[stream] = nil
      stream += 1
    }
    openFiles.closeAll()
  }

  /// Where the segment of a serial is, for messages too.
  func path(_ serial: UInt64) -> String {
    "\(directory)/\(SegmentName.make(family.prefix, serial))"
  }
}
