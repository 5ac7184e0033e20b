internal import EngineKit

/// How a call of the file system fails.
public enum FailureKind: String, CaseIterable, Codable, Sendable {
  /// Any call fails with EIO before it has done anything.
  case error = "EIO"
  /// A write fails with EIO when it has done a part.
  case partialWrite = "EIO after a part"
  case noSpace = "ENOSPC"
  case shortRead = "short read"
  case shortWrite = "short write"
  /// A sync fails, and what was to be written is marked clean.
  case syncFailure = "sync failure"

  /// What a simulated disk is asked for where the kind strikes; nil: the call is never begun.
  var fault: FaultClass? {
    switch self {
    case .error: nil
    case .partialWrite: .writeError
    case .noSpace: .noSpace
    case .shortRead: .shortRead
    case .shortWrite: .shortWrite
    case .syncFailure: .syncFailure
    }
  }

  /// What an engine's contract calls it, for a call of this name.
  func contractClass(of call: StaticString) -> FaultClass {
    if let fault { return fault }
    switch "\(call)" {
    case "read", "readParallel", "list", "status", "size": return .readError
    default: return .writeError
    }
  }
}

/// One failure of a run: the call with this number, among those that it can meet, fails; and all after it, where it
/// is for good.
public struct PlannedFailure: Equatable, Sendable {
  public var kind: FailureKind
  /// From 1.
  public var number: Int
  public var isForGood: Bool
  public var ending: Ending

  /// How the life of the process ends in which all steps were done.
  public enum Ending: String, CaseIterable, Sendable {
    case close
    case kill
    /// The power goes, and takes all that was not synced.
    case powerLoss = "power loss"
  }

  public init(_ kind: FailureKind, number: Int, isForGood: Bool, ending: Ending) {
    self.kind = kind
    self.number = number
    self.isForGood = isForGood
    self.ending = ending
  }
}
