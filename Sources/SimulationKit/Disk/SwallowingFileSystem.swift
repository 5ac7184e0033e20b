public import Platform

/// A file system that passes every call on, except that it swallows syncs or removals and reports success: what
/// a deliberately wrong engine runs on, so that it loses what it promised, or gives nothing back.
public struct SwallowingFileSystem: FileSystem {
  /// The calls that never reach the file system below.
  public struct Calls: OptionSet, Hashable, Sendable {
    public let rawValue: UInt8
    public init(rawValue: UInt8) { self.rawValue = rawValue }

    /// `File.syncData`.
    public static let dataSyncs = Calls(rawValue: 1 << 0)
    /// `File.syncAll`.
    public static let fullSyncs = Calls(rawValue: 1 << 1)
    /// `FileSystem.syncDirectory`.
    public static let directorySyncs = Calls(rawValue: 1 << 2)
    /// `FileSystem.remove`.
    public static let removals = Calls(rawValue: 1 << 3)

    /// Not the calls but their errors: a sync that failed has not.
    public static let syncErrors = Calls(rawValue: 1 << 4)
    /// The same of writes: all was written.
    public static let writeErrors = Calls(rawValue: 1 << 5)

    public static let fileSyncs: Calls = [.dataSyncs, .fullSyncs]
  }

  private let base: any FileSystem
  private let swallowed: Calls
  /// Only where this is in the path of the file or directory; empty: everywhere.
  private let part: String

  /// Swallows calls of these kinds, on paths that have `part` in them (empty: on all).
  public init(_ base: any FileSystem, swallowing: Calls, onPathsWith part: String = "") {
    self.base = base
    swallowed = swallowing
    self.part = part
  }

  public func open(_ path: String, _ mode: OpenMode) throws(PlatformError) -> any File {
    let file = try base.open(path, mode)
    let here = calls(on: path)
    let ofFiles: Calls = [.fileSyncs, .syncErrors, .writeErrors]
    return here.isDisjoint(with: ofFiles) ? file : SwallowingFile(file, here)
  }

  public func createDirectory(_ path: String) throws(PlatformError) {
    try base.createDirectory(path)
  }

  public func status(_ path: String) throws(PlatformError) -> FileStatus? {
    try base.status(path)
  }

  public func list(_ directory: String) throws(PlatformError) -> [String] {
    try base.list(directory)
  }

  public func rename(_ path: String, to newPath: String) throws(PlatformError) {
    try base.rename(path, to: newPath)
  }

  public func remove(_ path: String) throws(PlatformError) {
    if !calls(on: path).contains(.removals) { try base.remove(path) }
  }

  public func removeDirectory(_ path: String) throws(PlatformError) {
    try base.removeDirectory(path)
  }

  public func syncDirectory(_ path: String) throws(PlatformError) {
    if !calls(on: path).contains(.directorySyncs) { try base.syncDirectory(path) }
  }

  public func lock(_ path: String) throws(PlatformError) -> any FileLock { try base.lock(path) }

  private func calls(on path: String) -> Calls {
    part.isEmpty || path.contains(part) ? swallowed : []
  }
}

/// A file whose syncs may go nowhere.
private final class SwallowingFile: File {
  private let base: any File
  private let swallowed: SwallowingFileSystem.Calls

  init(_ base: any File, _ swallowed: SwallowingFileSystem.Calls) {
    self.base = base
    self.swallowed = swallowed
  }

  var path: String { base.path }

  func read(into buffer: inout MutableRawSpan, at offset: Int64) throws(PlatformError) -> Int {
    try base.read(into: &buffer, at: offset)
  }

  func write(_ bytes: RawSpan, at offset: Int64) throws(PlatformError) -> Int {
    do throws(PlatformError) { return try base.write(bytes, at: offset) } catch {
      if !swallowed.contains(.writeErrors) || error.code != .inputOutput { throw error }
      return bytes.byteCount
    }
  }

  func readParallel(_ requests: [ReadRequest]) throws(PlatformError) -> [[UInt8]] {
    try base.readParallel(requests)
  }

  func size() throws(PlatformError) -> Int64 { try base.size() }

  func syncData() throws(PlatformError) {
    if swallowed.contains(.dataSyncs) { return }
    do throws(PlatformError) { try base.syncData() } catch { try swallow(error) }
  }

  func syncAll() throws(PlatformError) {
    if swallowed.contains(.fullSyncs) { return }
    do throws(PlatformError) { try base.syncAll() } catch { try swallow(error) }
  }

  /// The error of a sync; that of a process that is killed goes through.
  private func swallow(_ error: PlatformError) throws(PlatformError) {
    if !swallowed.contains(.syncErrors) || error.code != .inputOutput { throw error }
  }

  func truncate(to size: Int64) throws(PlatformError) { try base.truncate(to: size) }

  func allocate(offset: Int64, length: Int64) throws(PlatformError) {
    try base.allocate(offset: offset, length: length)
  }

  func punchHole(offset: Int64, length: Int64) throws(PlatformError) {
    try base.punchHole(offset: offset, length: length)
  }

  func close() { base.close() }
}
