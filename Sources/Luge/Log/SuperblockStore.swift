import Platform

/// The file `SUPERBLOCK`: two slots of 4096 bytes, used in turn.
///
/// Orders and invariants:
/// - The file comes into being whole: written and synced under another name, renamed, the directory
///   synced. So whatever bears the name and cannot be read is foreign or damaged, never half made,
///   and it is never overwritten.
/// - A superblock goes to the slot that does not hold the newest one. Until it is synced the newest one
///   is untouched, so a crash at any moment leaves a valid one.
/// - What `load` finds may be in the system's cache alone: the process that wrote it was killed before
///   its sync, or its sync failed. So the name is synced by `load`, and `secure` writes the newest one
///   once more, in its own slot, and syncs it, before the other slot is touched, and before anything is
///   overwritten that an older superblock needs.
/// - Each slot holds two copies, in different sectors: rot of one is survived.
/// - After a failed sync nobody knows what the slot holds, and nothing is written any more.
///
/// For one thread at a time: the opener, then the checkpoint.
final class SuperblockStore {
  static let slotBytes = 4096
  static let name = "SUPERBLOCK"
  private static let newName = "SUPERBLOCK.new"

  private let files: any FileSystem
  private let directory: String
  let path: String
  private var file: (any File)?
  private var newestSlot = 0
  private var newestIsSynced = false
  /// The highest sequence given to a superblock, written well or not: no two share one.
  private var lastSequence: UInt64 = 0
  private var failure: LugeError?

  /// The newest superblock known durable.
  private(set) var newest: Superblock?

  init(files: any FileSystem, directory: String) {
    self.files = files
    self.directory = directory
    path = "\(directory)/\(Self.name)"
  }

  /// The newest valid superblock; nil when there is no file of that name.
  ///
  /// Throws `.notADatabase` for a file without any superblock's magic, `.corruption` where no copy
  /// is good, `.unsupportedVersion` where a newer engine wrote one. Writes nothing.
  func load() throws(LugeError) -> Superblock? {
    var bytes: [UInt8]
    do throws(PlatformError) {
      guard try files.status(path) != nil else { return nil }
      let opened = try files.open(path, .readWrite)
      file = opened
      bytes = try readTwice(opened)
      try files.syncDirectory(directory)
    } catch {
      throw LugeError(error, doing: "reading the superblock")
    }
    let count = bytes.count
    bytes += [UInt8](repeating: 0, count: 2 * Self.slotBytes - count)
    try choose(bytes, count: count)
    return newest
  }

  /// What two reads in a row agree on. A read that returns other bytes for once, older ones perhaps, would make an
  /// older superblock the newest: what that one needs may be gone, and what it does not know would be removed.
  private func readTwice(_ file: any File) throws(PlatformError) -> [UInt8] {
    var former = try readSlots(file)
    var tries = 0
    while true {
      let next = try readSlots(file)
      // As memory: comparing arrays goes byte by byte.
      if compareBytes(unsafe next.span.bytes, unsafe former.span.bytes) == 0 { return next }
      probe("superblock.readAgain")
      former = next
      tries += 1
      if tries == 8 {
        throw PlatformError(
          .inputOutput, operation: "read", path: path, detail: "each read returns other bytes")
      }
    }
  }

  /// All of it. A copy that cannot be read is zeros as long as the other one of its slot can be: without that a
  /// failed read would make an older superblock the newest.
  private func readSlots(_ file: any File) throws(PlatformError) -> [UInt8] {
    do throws(PlatformError) {
      return try file.readAvailable(at: 0, count: 2 * Self.slotBytes)
    } catch {
      if error.code != .inputOutput { throw error }
    }
    probe("superblock.copyUnreadable")
    var bytes: [UInt8] = []
    for slot in 0..<2 {
      var failures = 0
      for copy in 0..<2 {
        let offset = slot * Self.slotBytes + copy * Superblock.copyBytes
        do throws(PlatformError) {
          bytes += try file.readAvailable(at: Int64(offset), count: Superblock.copyBytes)
        } catch {
          failures += 1
          if error.code != .inputOutput || failures == 2 { throw error }
          bytes += [UInt8](repeating: 0, count: Superblock.copyBytes)
        }
      }
    }
    return bytes
  }

  private func choose(_ bytes: [UInt8], count: Int) throws(LugeError) {
    var isForeign = true
    var offset = 0
    while offset < bytes.count {
      let copy = Array(bytes[offset..<offset + Superblock.copyBytes])
      switch Superblock.decode(copy) {
      case .valid(let block):
        isForeign = false
        if block.sequence > newest?.sequence ?? 0 {
          newest = block
          newestSlot = offset / Self.slotBytes
        }
      case .newer(let version):
        throw LugeError(
          .unsupportedVersion, "the database was written by a newer version", path: path,
          offset: Int64(offset), expected: "at most \(Superblock.version)", found: "\(version)")
      case .damaged: isForeign = false
      case .foreign: break
      }
      offset += Superblock.copyBytes
    }
    // The file came into being whole, so a short one was cut; the newest may have been behind the cut.
    if let newest, count == bytes.count {
      if let violation = newest.violation {
        throw LugeError(
          .corruption, "the superblock has a good checksum and says what cannot be", path: path,
          offset: Int64(newestSlot * Self.slotBytes), found: violation)
      }
      lastSequence = newest.sequence
      return
    }
    newest = nil
    if isForeign {
      throw LugeError(
        .notADatabase, "the file is not a superblock", path: path,
        expected: "\(bytes.count) bytes that begin with \"LugeRoot\"", found: "\(count) bytes")
    }
    throw LugeError(
      .corruption,
      count < bytes.count
        ? "the superblock file is cut short" : "every copy of the superblock is damaged",
      path: path, offset: 0, expected: "\(bytes.count) bytes", found: "\(count)")
  }

  /// Makes the file with its first superblock, which gets sequence 1. Returns it.
  ///
  /// - Precondition: `load()` returned nil.
  @discardableResult
  func create(_ first: Superblock) throws(LugeError) -> Superblock {
    var block = first
    block.sequence = 1
    let copy = block.encoded()
    let newPath = "\(directory)/\(Self.newName)"
    do throws(PlatformError) {
      try faultPoint("superblock.write")
      let opened = try files.open(newPath, .readWriteOrCreate)
      defer { opened.close() }
      try opened.truncate(to: 0)
      let empty = [UInt8](repeating: 0, count: Self.slotBytes)
      try opened.writeFully(copy + copy + empty, at: 0)
      try faultPoint("superblock.sync")
      try opened.syncAll()
      try files.rename(newPath, to: path)
      try files.syncDirectory(directory)
      file = try files.open(path, .readWrite)
    } catch {
      throw LugeError(error, doing: "creating the superblock")
    }
    newest = block
    newestSlot = 0
    newestIsSynced = true
    lastSequence = 1
    return block
  }

  /// Writes the next superblock durably; it gets a higher sequence. Returns it.
  ///
  /// The caller has made durable all that it names. Throws `.noSpace` or `.inputOutput`: the former
  /// one counts; the call may be made again unless it was the sync that failed: then `.failed` from here on.
  @discardableResult
  func write(_ next: Superblock) throws(LugeError) -> Superblock {
    try secure()
    var block = next
    lastSequence += 1
    block.sequence = lastSequence
    let slot = 1 - newestSlot
    try put(block, slot: slot)
    self.newest = block
    newestSlot = slot
    return block
  }

  /// Makes durable what `load` found.
  func secure() throws(LugeError) {
    if let failure {
      if failure.code == .killed { throw failure }
      throw LugeError(
        .failed, "an earlier failure is final: \(failure.message)", path: path,
        underlying: failure.underlying)
    }
    guard let newest else { preconditionFailure("no superblock was loaded or created") }
    if newestIsSynced { return }
    try put(newest, slot: newestSlot)
    newestIsSynced = true
  }

  /// Writes both copies of a slot and syncs them.
  private func put(_ block: Superblock, slot: Int) throws(LugeError) {
    guard let file else {
      throw LugeError(.closed, "the superblock file is closed", path: path)
    }
    let copy = block.encoded()
    do throws(PlatformError) {
      try faultPoint("superblock.write")
      try file.writeFully(copy + copy, at: Int64(slot * Self.slotBytes))
    } catch {
      throw LugeError(error, doing: "writing the superblock")
    }
    do throws(PlatformError) {
      try faultPoint("superblock.sync")
      try file.syncData()
    } catch {
      let final = LugeError(error, doing: "syncing the superblock")
      failure = final
      throw final
    }
  }

  /// Whether a sync has failed: no superblock is written any more.
  var hasFailed: Bool { failure != nil }

  func close() {
    file?.close()
    file = nil
  }
}
