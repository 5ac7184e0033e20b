internal import EngineKit
internal import Luge
internal import Platform

/// The rules on the order of what Luge writes:
///
/// 1. No superblock before all that it names is synced, names of files included, and the redo of every image
///    that it names. No redo before what it names in value segments.
/// 2. Nothing that the newest durable superblock needs is removed, renamed, cut off or used again.
///
/// Sound: both are read off the disk as it would be after a power loss right then, by the code that recovery
/// itself uses. What it cannot read there is lost if the power goes.
final class LugeStorageRules: StorageRule {
  let name = "order of writes"
  private let directory: String
  private let superblockPath: String
  /// What the newest superblock names, as far as it was looked at.
  private var known: (root: StorageAudit.Root, named: StorageAudit.Named)?

  init(directory: String) {
    self.directory = directory
    superblockPath = "\(directory)/\(StorageAudit.superblockName)"
  }

  func concerns(_ path: String) -> Bool {
    path == superblockPath || path.hasPrefix(directory + "/page-")
      || path.hasPrefix(directory + "/value-") || path.hasPrefix(directory + "/redo-")
  }

  func violation(of change: StorageChange, durable: any FileSystem) -> String? {
    var platform = PlatformServices.inMemory()
    platform.files = durable
    let audit = StorageAudit(platform: platform, directory: directory)
    if change.path == superblockPath {
      guard case .write(_, let bytes) = change.kind else { return nil }
      return StorageAudit.root(in: bytes).flatMap { tooEarly($0, audit) }
    }
    switch change.kind {
    case .write(let offset, let bytes):
      if !change.path.hasPrefix(directory + "/redo-") { return nil }
      if offset >= 4096 { return tooEarly(bytes, change.path, audit) }
      // The header of a segment that is used again; a new one is not there.
      return needed(change.path, audit).map { "writes the header of \(change.path), \($0)" }
    case .truncate: return needed(change.path, audit).map { "cuts \(change.path), \($0)" }
    case .remove: return needed(change.path, audit).map { "removes \(change.path), \($0)" }
    case .rename: return needed(change.path, audit).map { "renames \(change.path), \($0)" }
    }
  }

  /// Rule 1.
  private func tooEarly(_ root: StorageAudit.Root, _ audit: StorageAudit) -> String? {
    do throws(LugeError) {
      let named = try audit.named(by: root)
      known = (root, named)
      return nil
    } catch {
      return "superblock \(root.sequence) is written, and what it needs is not durable: \(error)"
    }
  }

  /// The same for redo.
  private func tooEarly(_ redo: [UInt8], _ path: String, _ audit: StorageAudit) -> String? {
    do throws(LugeError) {
      try audit.check(redo: redo)
      return nil
    } catch {
      return "\(path) is written, and what it names is not durable: \(error)"
    }
  }

  /// Rule 2: what speaks against a change of this file.
  private func needed(_ path: String, _ audit: StorageAudit) -> String? {
    guard let root = audit.newestRoot() else { return nil }
    // What redo names in value segments was not all there when the superblock was written.
    let value = StorageAudit.valueSerial(path)
    if known?.root != root || value != nil {
      guard let named = try? audit.named(by: root) else { return nil }
      known = (root, named)
    }
    guard let named = known?.named else { return nil }
    let what = "which superblock \(root.sequence), the newest durable one, needs"
    if let value { return named.valueSegments.contains(value) ? what : nil }
    if let serial = StorageAudit.pageSerial(path) {
      return named.pageSegments.contains(serial) ? what : nil
    }
    return audit.neededRedo(in: path, by: root).map { "\(what): redo \($0)" }
  }
}
