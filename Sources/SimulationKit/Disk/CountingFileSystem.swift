public import Platform

/// A file system that passes every call on and counts it, for tests on how much I/O something does.
/// Calls that fail are counted too; bytes are those that were transferred.
public final class CountingFileSystem: FileSystem {
  private let base: any FileSystem
  fileprivate let counters = Counters()

  public init(_ base: any FileSystem) { self.base = base }

  /// What has been counted since the start.
  public var counts: FileSystemCounts { counters.snapshot() }

  public func open(_ path: String, _ mode: OpenMode) throws(PlatformError) -> any File {
    counters.add(.open)
    return CountingFile(try base.open(path, mode), counters)
  }

  public func createDirectory(_ path: String) throws(PlatformError) {
    counters.add(.createDirectory)
    try base.createDirectory(path)
  }

  public func status(_ path: String) throws(PlatformError) -> FileStatus? {
    counters.add(.status)
    return try base.status(path)
  }

  public func list(_ directory: String) throws(PlatformError) -> [String] {
    counters.add(.list)
    return try base.list(directory)
  }

  public func rename(_ path: String, to newPath: String) throws(PlatformError) {
    counters.add(.rename)
    try base.rename(path, to: newPath)
  }

  public func remove(_ path: String) throws(PlatformError) {
    counters.add(.remove)
    try base.remove(path)
  }

  public func removeDirectory(_ path: String) throws(PlatformError) {
    counters.add(.removeDirectory)
    try base.removeDirectory(path)
  }

  public func syncDirectory(_ path: String) throws(PlatformError) {
    counters.add(.syncDirectory)
    try base.syncDirectory(path)
  }

  public func lock(_ path: String) throws(PlatformError) -> any FileLock {
    counters.add(.lock)
    return try base.lock(path)
  }
}

/// Calls by kind, and bytes.
public struct FileSystemCounts: Equatable, Sendable {
  public enum Call: Int, CaseIterable, Sendable {
    case open, createDirectory, status, list, rename, remove, removeDirectory, syncDirectory, lock
    case read, readParallel, write, size, syncData, syncAll, truncate, allocate, punchHole
  }

  fileprivate var calls = [Int](repeating: 0, count: Call.allCases.count)
  public fileprivate(set) var bytesRead = 0
  public fileprivate(set) var bytesWritten = 0

  public subscript(call: Call) -> Int { calls[call.rawValue] }

  /// Syncs of any kind.
  public var syncs: Int { self[.syncData] + self[.syncAll] + self[.syncDirectory] }

  /// What was counted after `earlier`.
  public func since(_ earlier: FileSystemCounts) -> FileSystemCounts {
    var difference = self
    for call in Call.allCases { difference.calls[call.rawValue] -= earlier[call] }
    difference.bytesRead -= earlier.bytesRead
    difference.bytesWritten -= earlier.bytesWritten
    return difference
  }
}

/// The counts under way. Real threads may count at once.
private final class Counters: Sendable {
  // One word a kind of call, then bytes read and written.
  private let words: CounterWords

  init() { words = CounterWords(count: FileSystemCounts.Call.allCases.count + 2) }

  func add(_ call: FileSystemCounts.Call) { words.add(1, to: call.rawValue) }

  func addRead(_ bytes: Int) { words.add(bytes, to: FileSystemCounts.Call.allCases.count) }

  func addWritten(_ bytes: Int) { words.add(bytes, to: FileSystemCounts.Call.allCases.count + 1) }

  func snapshot() -> FileSystemCounts {
    var counts = FileSystemCounts()
    for call in FileSystemCounts.Call.allCases {
      counts.calls[call.rawValue] = words[call.rawValue]
    }
    counts.bytesRead = words[FileSystemCounts.Call.allCases.count]
    counts.bytesWritten = words[FileSystemCounts.Call.allCases.count + 1]
    return counts
  }
}

/// A row of counters for several threads.
private final class CounterWords: Sendable {
  private final class Word: Sendable {
    let value = AtomicWord(0)
  }

  private let words: [Word]

  init(count: Int) { words = (0..<count).map { _ in Word() } }

  func add(_ amount: Int, to index: Int) { _ = words[index].value.fetchAdd(UInt64(amount)) }

  subscript(index: Int) -> Int { Int(words[index].value.load()) }
}

private final class CountingFile: File {
  private let base: any File
  private let counters: Counters

  init(_ base: any File, _ counters: Counters) {
    self.base = base
    self.counters = counters
  }

  var path: String { base.path }

  func read(into buffer: inout MutableRawSpan, at offset: Int64) throws(PlatformError) -> Int {
    counters.add(.read)
    let done = try base.read(into: &buffer, at: offset)
    counters.addRead(done)
    return done
  }

  func write(_ bytes: RawSpan, at offset: Int64) throws(PlatformError) -> Int {
    counters.add(.write)
    let done = try base.write(bytes, at: offset)
    counters.addWritten(done)
    return done
  }

  func readParallel(_ requests: [ReadRequest]) throws(PlatformError) -> [[UInt8]] {
    counters.add(.readParallel)
    let results = try base.readParallel(requests)
    for result in results { counters.addRead(result.count) }
    return results
  }

  func size() throws(PlatformError) -> Int64 {
    counters.add(.size)
    return try base.size()
  }

  func syncData() throws(PlatformError) {
    counters.add(.syncData)
    try base.syncData()
  }

  func syncAll() throws(PlatformError) {
    counters.add(.syncAll)
    try base.syncAll()
  }

  func truncate(to size: Int64) throws(PlatformError) {
    counters.add(.truncate)
    try base.truncate(to: size)
  }

  func allocate(offset: Int64, length: Int64) throws(PlatformError) {
    counters.add(.allocate)
    try base.allocate(offset: offset, length: length)
  }

  func punchHole(offset: Int64, length: Int64) throws(PlatformError) {
    counters.add(.punchHole)
    try base.punchHole(offset: offset, length: length)
  }

  func close() { base.close() }
}
