public import EngineKit
public import Platform

/// The reference engine without something that it needs on a bad disk: it believes what it reads.
public struct CredulousEngineFactory: EngineFactory {
  public let name: String
  /// The classes of fault that it ignores, and that convict it.
  public let ignores: [FaultClass]
  private let hidesErrors: Bool
  private let base = ReferenceEngineFactory()

  public var capabilities: EngineCapabilities { base.capabilities }
  /// As if it did not.
  public var faultContract: FaultContract { base.faultContract }
  public var faultPoints: [String] { base.faultPoints }
  public var probes: [String] { base.probes }

  private init(_ name: String, ignoring ignores: [FaultClass], hidesErrors: Bool) {
    self.name = name
    self.ignores = ignores
    self.hidesErrors = hidesErrors
  }

  /// No checksum is looked at, and what cannot be read is taken for an empty database.
  public static let trustsBytes = CredulousEngineFactory(
    "trusts-bytes", ignoring: [.bitRot, .misdirectedRead, .misdirectedWrite, .staleRead],
    hidesErrors: false)

  /// The same, and a read that failed is one of zeros.
  public static let ignoresReadErrors = CredulousEngineFactory(
    "ignores-read-errors", ignoring: [.latentSectorError, .readError], hidesErrors: true)

  public func open(
    _ directory: String, on platform: PlatformServices, settings: EngineSettings
  ) throws(EngineError) -> any KeyValueEngine {
    var platform = platform
    if hidesErrors { platform.files = DeafFileSystem(platform.files) }
    return try ReferenceEngine(directory, on: platform, trusts: true)
  }
}

/// A file system whose reads never fail: what could not be read is zero.
private struct DeafFileSystem: FileSystem {
  private let base: any FileSystem

  init(_ base: any FileSystem) { self.base = base }

  func open(_ path: String, _ mode: OpenMode) throws(PlatformError) -> any File {
    DeafFile(try base.open(path, mode))
  }
  func createDirectory(_ path: String) throws(PlatformError) { try base.createDirectory(path) }
  func status(_ path: String) throws(PlatformError) -> FileStatus? { try base.status(path) }
  func list(_ directory: String) throws(PlatformError) -> [String] { try base.list(directory) }
  func rename(_ path: String, to newPath: String) throws(PlatformError) {
    try base.rename(path, to: newPath)
  }
  func remove(_ path: String) throws(PlatformError) { try base.remove(path) }
  func removeDirectory(_ path: String) throws(PlatformError) { try base.removeDirectory(path) }
  func syncDirectory(_ path: String) throws(PlatformError) { try base.syncDirectory(path) }
  func lock(_ path: String) throws(PlatformError) -> any FileLock { try base.lock(path) }
}

private final class DeafFile: File {
  private let base: any File

  init(_ base: any File) { self.base = base }

  var path: String { base.path }

  func read(into buffer: inout MutableRawSpan, at offset: Int64) throws(PlatformError) -> Int {
    do throws(PlatformError) { return try base.read(into: &buffer, at: offset) } catch {
      if error.code != .inputOutput { throw error }
      let count = buffer.byteCount
      // The caller's buffer, all of it.
      unsafe buffer.withUnsafeMutableBytes { target in
        _ = unsafe target.initializeMemory(as: UInt8.self, repeating: 0)
      }
      return count
    }
  }

  func write(_ bytes: RawSpan, at offset: Int64) throws(PlatformError) -> Int {
    try base.write(bytes, at: offset)
  }
  func readParallel(_ requests: [ReadRequest]) throws(PlatformError) -> [[UInt8]] {
    try base.readParallel(requests)
  }
  func size() throws(PlatformError) -> Int64 { try base.size() }
  func syncData() throws(PlatformError) { try base.syncData() }
  func syncAll() throws(PlatformError) { try base.syncAll() }
  func truncate(to size: Int64) throws(PlatformError) { try base.truncate(to: size) }
  func allocate(offset: Int64, length: Int64) throws(PlatformError) {
    try base.allocate(offset: offset, length: length)
  }
  func punchHole(offset: Int64, length: Int64) throws(PlatformError) {
    try base.punchHole(offset: offset, length: length)
  }
  func close() { base.close() }
}
