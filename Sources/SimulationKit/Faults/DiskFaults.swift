public import EngineKit

/// What a power loss may do to changes that were not synced. An outcome that is not in the set is
/// not drawn: the change it concerns is kept.
public struct DiskFaults: OptionSet, Hashable, Sendable {
  public let rawValue: UInt8
  public init(rawValue: UInt8) { self.rawValue = rawValue }

  /// A sector is left as it was at the last sync.
  public static let droppedWrite = DiskFaults(rawValue: 1 << 0)
  /// A sector is left part new, part old.
  public static let tornWrite = DiskFaults(rawValue: 1 << 1)
  /// Sectors choose without regard to the order of writes, and among all their versions.
  public static let reorderedWrite = DiskFaults(rawValue: 1 << 2)
  /// A change of a file's length is lost.
  public static let lostLength = DiskFaults(rawValue: 1 << 3)
  /// A creation, removal or renaming is lost.
  public static let lostDirectoryEntry = DiskFaults(rawValue: 1 << 4)

  public static let all: DiskFaults = [
    .droppedWrite, .tornWrite, .reorderedWrite, .lostLength, .lostDirectoryEntry,
  ]

  /// Those of the classes that are outcomes of a power loss.
  public init(_ classes: [FaultClass]) {
    self = []
    for fault in classes { formUnion(DiskFaults(fault)) }
  }

  /// The outcome that a class stands for; empty when it is none.
  public init(_ fault: FaultClass) {
    switch fault {
    case .droppedWrite: self = .droppedWrite
    case .tornWrite: self = .tornWrite
    case .reorderedWrite: self = .reorderedWrite
    case .lostLength: self = .lostLength
    case .lostDirectoryEntry: self = .lostDirectoryEntry
    default: self = []
    }
  }
}
