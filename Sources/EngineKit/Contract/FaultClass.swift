/// The ways in which the world can fail an engine. Each has one meaning, fixed here; the simulated
/// disk and scheduler produce them and count every one that met an engine call.
public enum FaultClass: String, CaseIterable, Sendable, Codable {
  /// The process ends at a seam call; memory is lost, everything handed to the file system is kept.
  case processKill
  /// The machine stops: of what was not synced, the disk keeps what it likes.
  case powerLoss
  /// At a power loss, an unsynced sector is left as it was at the last sync.
  case droppedWrite
  /// At a power loss, an unsynced sector is left part new, part old.
  case tornWrite
  /// At a power loss, an older one of several unsynced versions of a sector survives, or a later
  /// write survives while an earlier one does not.
  case reorderedWrite
  /// At a power loss, an unsynced change of a file's length is lost.
  case lostLength
  /// At a power loss, an unsynced change of a directory is lost.
  case lostDirectoryEntry
  /// A read fails with EIO.
  case readError
  /// A write fails with EIO.
  case writeError
  /// A write or allocation fails with ENOSPC.
  case noSpace
  /// A read transfers fewer bytes than asked.
  case shortRead
  /// A write transfers fewer bytes than asked.
  case shortWrite
  /// A sync fails; the unsynced pages are dropped and marked clean, and the next sync succeeds.
  case syncFailure
  /// A bit on the disk flips while nobody looks.
  case bitRot
  /// A call takes long.
  case latency
  /// A named fault point answers with an error.
  case faultPointError
  /// A named fault point answers with a delay.
  case faultPointDelay
  /// A named fault point kills the process.
  case faultPointKill
  /// A sync reports success and does nothing.
  case lyingSync
  /// A read returns what lies elsewhere. The next one does not.
  case misdirectedRead
  /// A write goes elsewhere, over what lies there; where it belongs nothing changes.
  case misdirectedWrite
  /// A read returns what was there before the last sync. The next one does not.
  case staleRead
  /// A sector cannot be read any more, until it is written.
  case latentSectorError
  /// A call takes for ever, as far as anybody who waits can tell.
  case stuckCall

  /// Whether it leaves damage on the disk that outlives the process.
  public var isLasting: Bool {
    switch self {
    case .bitRot, .misdirectedWrite, .latentSectorError, .lyingSync: true
    default: false
    }
  }

  /// Whether it makes a good disk look damaged for once.
  public var isMisleading: Bool { self == .misdirectedRead || self == .staleRead }
}

/// What an engine promises when it meets a fault class.
public enum FaultResponse: String, Sendable, Codable {
  /// Nothing that was acknowledged as durable is lost, and operations give right results.
  case survives
  /// The operation, or the next opening, may fail with an error; what does not fail is right, and
  /// nothing that was acknowledged as durable is silently lost.
  case reports
  /// What was acknowledged as durable may be lost. But what is there is a prefix of what was committed, whole commits
  /// without a hole, or an error says that it is not.
  case mayLose
  /// No promise. Scenarios for this engine never draw it.
  case outOfScope
}

/// What an engine promises for every fault class.
public struct FaultContract: Equatable, Sendable {
  private var responses: [FaultClass: FaultResponse]

  /// Classes not named are out of scope.
  public init(_ responses: [FaultClass: FaultResponse]) { self.responses = responses }

  public subscript(fault: FaultClass) -> FaultResponse {
    get { responses[fault] ?? .outOfScope }
    set { responses[fault] = newValue }
  }
}
