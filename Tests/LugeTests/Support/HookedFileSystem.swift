import Platform
import Synchronization

/// Passes every call on to another file system and asks a hook first: to count calls, to see their
/// order, to make one fail.
final class HookedFileSystem: FileSystem {
  struct Call: Equatable, Sendable {
    var operation: String
    var path: String
    var offset: Int64 = 0
    var count = 0
  }

  typealias Hook = @Sendable (Call) -> PlatformError.Code?

  let inner: any FileSystem
  private let hook = Mutex<Hook?>(nil)
  private let log = Mutex<[Call]>([])
  private let opened = Mutex(0)

  /// Files that were opened and not closed.
  var openFiles: Int { opened.withLock { $0 } }

  init(_ inner: any FileSystem) { self.inner = inner }

  /// Called before each call; a code makes the call fail.
  func setHook(_ hook: Hook?) { self.hook.withLock { $0 = hook } }

  /// The calls since the last time this was asked.
  func takeCalls() -> [Call] {
    log.withLock { calls in
      defer { calls = [] }
      return calls
    }
  }

  fileprivate func note(_ call: Call) throws(PlatformError) {
    log.withLock { $0.append(call) }
    guard let hook = hook.withLock({ $0 }), let code = hook(call) else { return }
    throw PlatformError(code, operation: call.operation, path: call.path, offset: call.offset)
  }

  func open(_ path: String, _ mode: OpenMode) throws(PlatformError) -> any File {
    try note(Call(operation: mode == .createNew ? "create" : "open", path: path))
    let file = HookedFile(inner: try inner.open(path, mode), system: self)
    opened.withLock { $0 += 1 }
    return file
  }

  fileprivate func noteClosed() { opened.withLock { $0 -= 1 } }

  func createDirectory(_ path: String) throws(PlatformError) { try inner.createDirectory(path) }
  func status(_ path: String) throws(PlatformError) -> FileStatus? { try inner.status(path) }
  func list(_ directory: String) throws(PlatformError) -> [String] { try inner.list(directory) }
  func rename(_ path: String, to newPath: String) throws(PlatformError) {
    try note(Call(operation: "rename", path: path))
    try inner.rename(path, to: newPath)
  }
  func remove(_ path: String) throws(PlatformError) {
    try note(Call(operation: "remove", path: path))
    try inner.remove(path)
  }
  func removeDirectory(_ path: String) throws(PlatformError) { try inner.removeDirectory(path) }
  func syncDirectory(_ path: String) throws(PlatformError) {
    try note(Call(operation: "syncDirectory", path: path))
    try inner.syncDirectory(path)
  }
  func lock(_ path: String) throws(PlatformError) -> any FileLock { try inner.lock(path) }
}

private final class HookedFile: File {
  let inner: any File
  let system: HookedFileSystem
  private let isClosed = Mutex(false)

  init(inner: any File, system: HookedFileSystem) {
    self.inner = inner
    self.system = system
  }

  var path: String { inner.path }

  func read(into buffer: inout MutableRawSpan, at offset: Int64) throws(PlatformError) -> Int {
    try system.note(.init(operation: "read", path: path, offset: offset, count: buffer.byteCount))
    return try inner.read(into: &buffer, at: offset)
  }
  func write(_ bytes: RawSpan, at offset: Int64) throws(PlatformError) -> Int {
    try system.note(.init(operation: "write", path: path, offset: offset, count: bytes.byteCount))
    return try inner.write(bytes, at: offset)
  }
  func readParallel(_ requests: [ReadRequest]) throws(PlatformError) -> [[UInt8]] {
    try inner.readParallel(requests)
  }
  func size() throws(PlatformError) -> Int64 { try inner.size() }
  func syncData() throws(PlatformError) {
    try system.note(.init(operation: "sync", path: path))
    try inner.syncData()
  }
  func syncAll() throws(PlatformError) {
    try system.note(.init(operation: "sync", path: path))
    try inner.syncAll()
  }
  func truncate(to size: Int64) throws(PlatformError) {
    try system.note(.init(operation: "truncate", path: path, offset: size))
    try inner.truncate(to: size)
  }
  func allocate(offset: Int64, length: Int64) throws(PlatformError) {
    try inner.allocate(offset: offset, length: length)
  }
  func punchHole(offset: Int64, length: Int64) throws(PlatformError) {
    try inner.punchHole(offset: offset, length: length)
  }
  func close() {
    inner.close()
    let wasOpen = isClosed.withLock { closed in
      defer { closed = true }
      return !closed
    }
    if wasOpen { system.noteClosed() }
  }
}
