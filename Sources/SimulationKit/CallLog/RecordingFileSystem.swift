public import Platform

/// A file system that passes every call on to another one, real or not, and logs each that may
/// change what is on the disk: so that every state that a power cut could have left can be built
/// again afterwards.
///
/// A call is logged when it has taken effect and before it returns, a sync also before it begins.
/// So whatever a thread knows to be done when it asks for a sync is logged before that sync; what
/// another thread does meanwhile is not, and counts as not covered by it. Calls that change nothing
/// are not logged, nor those that fail, except writes and syncs, which may have done something all
/// the same.
///
/// Where the log cannot be written, the call throws the log's error, though it has taken effect.
///
///     let log = try CallLogWriter(creating: "run.log", on: RealFileSystem())
///     let files = RecordingFileSystem(RealFileSystem(), to: log)
///     try files.recordContents(of: directory)
///     try files.mark(.subject(engine: "luge", directory: directory, settings: settings))
public final class RecordingFileSystem: FileSystem {
  private let base: any FileSystem
  fileprivate let sink: any CallLogSink
  /// Handles and syncs have numbers of their own, never used twice.
  private let handles = AtomicWord(1)
  private let syncs = AtomicWord(1)

  public init(_ base: any FileSystem, to sink: any CallLogSink) {
    self.base = base
    self.sink = sink
  }

  /// Says something of the run that the calls do not tell, in its place among them.
  public func mark(_ mark: CallMark) throws(PlatformError) { try sink.append(.mark(mark)) }

  /// Logs a directory, those above it and the files in it as they are, and that all of it is
  /// durable: the beginning of a log of a database that is there already. Where it is not, the
  /// directories that are there. Reads every file whole, in pieces.
  public func recordContents(of directory: String) throws(PlatformError) {
    var path = ""
    for part in directory.split(separator: "/") {
      path += path.isEmpty && !directory.hasPrefix("/") ? "\(part)" : "/\(part)"
      if try base.status(path)?.isDirectory != true { return try sink.append(.settled) }
      try sink.append(.createDirectory(path: path))
    }
    for name in try base.list(directory) {
      let path = "\(directory)/\(name)"
      guard let status = try base.status(path), !status.isDirectory else { continue }
      let file = try base.open(path, .read)
      defer { file.close() }
      let handle = takeHandle()
      try sink.append(.open(handle: handle, path: path, creates: true))
      try sink.append(.truncate(handle: handle, length: UInt64(status.size)))
      try record(file, status.size, handle)
      try sink.append(.close(handle: handle))
    }
    try sink.append(.settled)
  }

  private func record(
    _ file: any File, _ size: Int64, _ handle: UInt32
  ) throws(PlatformError) {
    var offset: Int64 = 0
    while offset < size {
      let bytes = try file.readAvailable(at: offset, count: Int(min(1 << 20, size - offset)))
      if bytes.isEmpty { return }
      try sink.append(.write(handle: handle, offset: UInt64(offset), bytes: bytes))
      offset += Int64(bytes.count)
    }
  }

  fileprivate func takeHandle() -> UInt32 { UInt32(truncatingIfNeeded: handles.fetchAdd(1)) }

  public func open(_ path: String, _ mode: OpenMode) throws(PlatformError) -> any File {
    if mode == .read { return try base.open(path, mode) }
    // Two that create one name at once both say so; the second finds it there, which changes
    // nothing.
    var creates = mode == .createNew
    if mode == .readWriteOrCreate { creates = try base.status(path) == nil }
    let file = try base.open(path, mode)
    let handle = takeHandle()
    try sink.append(.open(handle: handle, path: path, creates: creates))
    return RecordingFile(file, handle, self)
  }

  public func createDirectory(_ path: String) throws(PlatformError) {
    try base.createDirectory(path)
    try sink.append(.createDirectory(path: path))
  }

  public func status(_ path: String) throws(PlatformError) -> FileStatus? {
    try base.status(path)
  }

  public func list(_ directory: String) throws(PlatformError) -> [String] {
    try base.list(directory)
  }

  public func rename(_ path: String, to newPath: String) throws(PlatformError) {
    try base.rename(path, to: newPath)
    try sink.append(.rename(path: path, to: newPath))
  }

  public func remove(_ path: String) throws(PlatformError) {
    try base.remove(path)
    try sink.append(.remove(path: path))
  }

  public func removeDirectory(_ path: String) throws(PlatformError) {
    try base.removeDirectory(path)
    try sink.append(.removeDirectory(path: path))
  }

  public func syncDirectory(_ path: String) throws(PlatformError) {
    let number = takeSync()
    try sync(number, .directorySyncBegan(sync: number, path: path)) { () throws(PlatformError) in
      try base.syncDirectory(path)
    }
  }

  public func read(_ requests: [FileRead]) throws(PlatformError) -> [[UInt8]] {
    var below = requests
    var index = 0
    while index < below.count {
      if let file = below[index].file as? RecordingFile { below[index].file = file.base }
      index += 1
    }
    return try base.read(below)
  }

  public var cacheBytes: Int64 { base.cacheBytes }

  public func lock(_ path: String) throws(PlatformError) -> any FileLock {
    let isThere = try base.status(path) != nil
    let lock = try base.lock(path)
    if !isThere {
      let handle = takeHandle()
      try sink.append(.open(handle: handle, path: path, creates: true))
      try sink.append(.close(handle: handle))
    }
    return lock
  }

  fileprivate func takeSync() -> UInt32 { UInt32(truncatingIfNeeded: syncs.fetchAdd(1)) }

  fileprivate func sync(
    _ number: UInt32, _ call: LoggedCall, _ body: () throws(PlatformError) -> Void
  ) throws(PlatformError) {
    try sink.append(call)
    do throws(PlatformError) { try body() } catch {
      // A process that is gone has not got an answer.
      if error.code != .killed { try sink.append(.syncEnded(sync: number, succeeded: false)) }
      throw error
    }
    try sink.append(.syncEnded(sync: number, succeeded: true))
  }
}

/// A file that was opened for writing.
private final class RecordingFile: File {
  fileprivate let base: any File
  private let handle: UInt32
  private let system: RecordingFileSystem
  private let isOpen = AtomicWord(1)

  init(_ base: any File, _ handle: UInt32, _ system: RecordingFileSystem) {
    self.base = base
    self.handle = handle
    self.system = system
  }

  var path: String { base.path }

  func read(into buffer: inout MutableRawSpan, at offset: Int64) throws(PlatformError) -> Int {
    try base.read(into: &buffer, at: offset)
  }

  func readParallel(_ requests: [ReadRequest]) throws(PlatformError) -> [[UInt8]] {
    try base.readParallel(requests)
  }

  func size() throws(PlatformError) -> Int64 { try base.size() }

  func write(_ bytes: RawSpan, at offset: Int64) throws(PlatformError) -> Int {
    let taken: Int
    do throws(PlatformError) { taken = try base.write(bytes, at: offset) } catch {
      if error.code == .inputOutput { try log(bytes, bytes.byteCount, offset) }
      throw error
    }
    try log(bytes, taken, offset)
    return taken
  }

  private func log(_ bytes: RawSpan, _ count: Int, _ offset: Int64) throws(PlatformError) {
    if count == 0 { return }
    // Copied while the caller lends them.
    let copy = unsafe bytes.withUnsafeBytes { unsafe [UInt8]($0.prefix(count)) }
    try system.sink.append(.write(handle: handle, offset: UInt64(offset), bytes: copy))
  }

  func syncData() throws(PlatformError) {
    try sync(isFull: false) { () throws(PlatformError) in try base.syncData() }
  }

  func syncAll() throws(PlatformError) {
    try sync(isFull: true) { () throws(PlatformError) in try base.syncAll() }
  }

  private func sync(
    isFull: Bool, _ body: () throws(PlatformError) -> Void
  ) throws(PlatformError) {
    let number = system.takeSync()
    try system.sync(number, .syncBegan(sync: number, handle: handle, isFull: isFull), body)
  }

  func truncate(to size: Int64) throws(PlatformError) {
    try base.truncate(to: size)
    try system.sink.append(.truncate(handle: handle, length: UInt64(size)))
  }

  func allocate(offset: Int64, length: Int64) throws(PlatformError) {
    try base.allocate(offset: offset, length: length)
    try system.sink.append(
      .allocate(handle: handle, offset: UInt64(offset), length: UInt64(length)))
  }

  func punchHole(offset: Int64, length: Int64) throws(PlatformError) {
    try base.punchHole(offset: offset, length: length)
    try system.sink.append(
      .punchHole(handle: handle, offset: UInt64(offset), length: UInt64(length)))
  }

  func close() {
    base.close()
    // The log's end says as much where it cannot be written.
    if isOpen.exchange(0) == 1 { try? system.sink.append(.close(handle: handle)) }
  }
}
