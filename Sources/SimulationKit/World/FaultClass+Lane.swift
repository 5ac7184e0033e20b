internal import EngineKit

extension FaultClass {
  /// Its place among all cases.
  var ordinal: Int {
    switch self {
    case .processKill: 0
    case .powerLoss: 1
    case .droppedWrite: 2
    case .tornWrite: 3
    case .reorderedWrite: 4
    case .lostLength: 5
    case .lostDirectoryEntry: 6
    case .readError: 7
    case .writeError: 8
    case .noSpace: 9
    case .shortRead: 10
    case .shortWrite: 11
    case .syncFailure: 12
    case .bitRot: 13
    case .latency: 14
    case .faultPointError: 15
    case .faultPointDelay: 16
    case .faultPointKill: 17
    case .lyingSync: 18
    case .misdirectedRead: 19
    case .misdirectedWrite: 20
    case .staleRead: 21
    case .latentSectorError: 22
    case .stuckCall: 23
    }
  }

  /// The lane of its strikes: one a class, so that the shrinker can do away with a whole class.
  var laneName: StaticString {
    switch self {
    case .processKill: "fault.processKill"
    case .powerLoss: "fault.powerLoss"
    case .droppedWrite: "fault.droppedWrite"
    case .tornWrite: "fault.tornWrite"
    case .reorderedWrite: "fault.reorderedWrite"
    case .lostLength: "fault.lostLength"
    case .lostDirectoryEntry: "fault.lostDirectoryEntry"
    case .readError: "fault.readError"
    case .writeError: "fault.writeError"
    case .noSpace: "fault.noSpace"
    case .shortRead: "fault.shortRead"
    case .shortWrite: "fault.shortWrite"
    case .syncFailure: "fault.syncFailure"
    case .bitRot: "fault.bitRot"
    case .latency: "fault.latency"
    case .faultPointError: "fault.faultPointError"
    case .faultPointDelay: "fault.faultPointDelay"
    case .faultPointKill: "fault.faultPointKill"
    case .lyingSync: "fault.lyingSync"
    case .misdirectedRead: "fault.misdirectedRead"
    case .misdirectedWrite: "fault.misdirectedWrite"
    case .staleRead: "fault.staleRead"
    case .latentSectorError: "fault.latentSectorError"
    case .stuckCall: "fault.stuckCall"
    }
  }
}
