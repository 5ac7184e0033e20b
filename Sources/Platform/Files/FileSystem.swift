/// The files of the world: the real file system, one in memory, or a simulated disk.
///
/// Paths are UTF-8 strings with "/" between components. Every call may block, and each is a point
/// where a simulated scheduler may switch threads, inject a fault, or kill the process.
///
/// Durability: what a call changes may be lost at a power cut until it is synced. File contents and
/// length need `File.syncData()` or `File.syncAll()`; a created, renamed or removed *name* needs
/// `syncDirectory(_:)` on the directory that holds it.
public protocol FileSystem: Sendable {
  /// Opens a file. The name of a newly created file is not durable until its directory is synced.
  func open(_ path: String, _ mode: OpenMode) throws(PlatformError) -> any File

  /// Creates one directory. Throws `.alreadyExists` when something of that name is there.
  func createDirectory(_ path: String) throws(PlatformError)

  /// What is at `path`, or nil when there is nothing.
  func status(_ path: String) throws(PlatformError) -> FileStatus?

  /// The names in a directory, without "." and "..", in ascending byte order.
  func list(_ directory: String) throws(PlatformError) -> [String]

  /// Renames atomically, replacing a file at `newPath`.
  func rename(_ path: String, to newPath: String) throws(PlatformError)

  /// Removes a file. Open handles stay usable.
  func remove(_ path: String) throws(PlatformError)

  /// Removes an empty directory.
  func removeDirectory(_ path: String) throws(PlatformError)

  /// Makes the names in a directory durable.
  func syncDirectory(_ path: String) throws(PlatformError)

  /// Several reads of files of this file system, which the platform does side by side where it can.
  /// Results are in the order of the requests; one is shorter than asked only where its file ends.
  /// Throws the error of one that failed; the others' results are then lost.
  func read(_ requests: [FileRead]) throws(PlatformError) -> [[UInt8]]

  /// Bytes of memory that this process and what the system caches of files for it may have together, at
  /// most; what is larger than that is not worth caching.
  var cacheBytes: Int64 { get }

  /// Takes an exclusive advisory lock on the file at `path`, creating it where missing. Never
  /// waits: throws `.locked` when another owner, in this process or another, holds it.
  func lock(_ path: String) throws(PlatformError) -> any FileLock
}

public enum OpenMode: Equatable, Sendable {
  /// An existing file, for reading. Throws `.notFound`.
  case read
  /// An existing file, for reading and writing. Throws `.notFound`.
  case readWrite
  /// For reading and writing; created empty where missing.
  case readWriteOrCreate
  /// For reading and writing; throws `.alreadyExists` where the name is taken.
  case createNew
}

public struct FileStatus: Equatable, Sendable {
  /// Length in bytes.
  public var size: Int64
  /// Bytes that the file system has allocated for it (holes do not count).
  public var allocatedSize: Int64
  public var isDirectory: Bool
  public init(size: Int64, allocatedSize: Int64, isDirectory: Bool) {
    self.size = size
    self.allocatedSize = allocatedSize
    self.isDirectory = isDirectory
  }
}

/// A held lock. Releasing twice is harmless; the lock is also gone when the process ends.
public protocol FileLock: AnyObject, Sendable {
  func release()
}
