public import Platform

/// A change that an engine is about to make to its storage.
public struct StorageChange: Sendable {
  public enum Kind: Sendable {
    case write(offset: Int64, bytes: [UInt8])
    case truncate(size: Int64)
    case remove
    case rename(to: String)
  }

  /// Of the file that changes.
  public var path: String
  public var kind: Kind

  public init(_ path: String, _ kind: Kind) {
    self.path = path
    self.kind = kind
  }
}

/// A rule on the order of an engine's changes to its storage, as "no superblock before what it names is
/// synced". A harness asks it before each change that concerns it, at the moment at which that takes
/// effect. So a violation is found when it happens, whether or not a crash ever makes use of it.
///
/// An engine's adapter declares its rules: only it knows what the files mean. A rule is made for one
/// database and lives as long as that does, over crashes too; it may keep what it has learned.
public protocol StorageRule: AnyObject {
  /// As "superblock names what is synced".
  var name: String { get }

  /// Whether the rule asks to see changes of this file.
  func concerns(_ path: String) -> Bool

  /// Why the change comes too early, or nil. `durable` is what the storage would hold if the power went now and
  /// took everything that is not synced: files as they were synced, under the names that were.
  func violation(of change: StorageChange, durable: any FileSystem) -> String?
}
