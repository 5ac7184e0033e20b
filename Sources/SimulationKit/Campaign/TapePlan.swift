internal import EngineKit

/// What is drawn once for a tape: the engine's settings, the number of clients, and the swarm of
/// faults. A *swarm*: most tapes have few classes, so that rare combinations are met and no class hides another.
struct TapePlan {
  var settings = EngineSettings()
  var clients = 1
  var faults = FaultPlan()
  /// Which fates a power loss may give to what was not synced.
  var losses: DiskFaults = []
  /// How the threads are interleaved.
  var usesPriorities = false
  /// After a clean end the power goes, and everything must still be there.
  var endsWithPowerLoss = false
  var crashesAtMost = 0
  var allowsKill = false
  var allowsPowerLoss = false
  /// Some lives begin with somebody who opens the database in a wrong way.
  var opensWrongly = false
  /// Bytes that the disk holds while clients work; nil: no limit.
  var capacity: Int?

  init(
    _ scenario: Scenario, _ factory: any EngineFactory, operations: Int, tape: ChoiceTape
  ) {
    let contract = factory.faultContract
    drawEngine(scenario, factory, tape.lane("plan"))
    drawShape(scenario.workload.largestWrite, tape.lane("shape"))
    let swarm = tape.lane("swarm")
    var never: [FaultClass] = []
    for rule in scenario.faults {
      if case .never(let fault) = rule { never.append(fault) }
    }
    func allows(_ fault: FaultClass) -> Bool {
      contract[fault] != .outOfScope && !never.contains(fault)
    }
    for rule in scenario.faults {
      switch rule {
      case .crashes(let atMost):
        crashesAtMost = atMost
        allowsKill = allows(.processKill)
        allowsPowerLoss = allows(.powerLoss)
      case .swarm:
        if allows(.noSpace) { drawCapacity(tape.lane("capacity")) }
        for fault in FaultClass.allCases where allows(fault) {
          drawClass(fault, swarm, operations)
        }
        drawPoints(factory.faultPoints, swarm)
        // A lane of its own: tapes that were saved before there were these have none of them.
        let media = tape.lane("media")
        for fault in FaultClass.allCases where allows(fault) { drawMedia(fault, media) }
        // Named so that the saved tapes that are seeds have none either.
        opensWrongly = tape.lane("careless").draw("on", below: 4) == 3
      case .always(let fault, let oneIn):
        if allows(fault) { faults[fault] = oneIn }
        losses.formUnion(DiskFaults(fault))
      case .never: break
      }
    }
  }

  private mutating func drawEngine(
    _ scenario: Scenario, _ factory: any EngineFactory, _ lane: ChoiceLane
  ) {
    settings.automaticBackgroundWork = lane.draw("background", below: 3) != 0
    settings.segmentSize = 4096 << Int(lane.draw("segmentSize", below: 7))
    settings.pageSize = 512 << Int(lane.draw("pageSize", below: 4))
    // 50 microseconds to 0.8 s of virtual time, or none.
    let flush = lane.draw("flushInterval", below: 16)
    settings.flushInterval = flush == 0 ? nil : 25_000 << flush
    settings.checkpointInterval = 4096 << Int(lane.draw("checkpointInterval", below: 9))
    let most = factory.capabilities.contains(.concurrentClients) ? scenario.workload.clients : 1...1
    clients =
      most.lowerBound
      + Int(lane.draw("clients", below: UInt64(most.upperBound - most.lowerBound + 1)))
    endsWithPowerLoss = lane.draw("powerLossAtEnd", below: 2) == 1
    usesPriorities = lane.draw("strategy", below: 2) == 1
    // In most tapes less than a run writes.
    let shortage = lane.draw("memoryBudget", below: 8)
    settings.memoryBudget = shortage == 0 ? 64 << 20 : (256 << 10) >> Int(shortage)
  }

  /// Segments of pages from those that hold a few of the largest writes up, or as the engine likes.
  private mutating func drawShape(_ largestWrite: Int, _ lane: ChoiceLane) {
    let size = lane.draw("pageSegment", below: 4)
    if size == 0 { return }
    let least = max(16 << 10, (8 * largestWrite + 4095) / 4096 * 4096)
    settings.pageSegmentSize = least << Int(size - 1)
  }

  /// In one tape of six the disk is small: it runs full, unless the engine gives back what it can.
  private mutating func drawCapacity(_ lane: ChoiceLane) {
    if lane.draw("small", below: 6) != 5 { return }
    let segments = settings.segmentSize + (settings.pageSegmentSize ?? 64 << 10)
    capacity = (4 + Int(lane.draw("segments", below: 12))) * segments
  }

  /// On in one tape of three, with a rarity between often and once in a tape.
  private mutating func drawClass(_ fault: FaultClass, _ lane: ChoiceLane, _ operations: Int) {
    switch fault {
    case .processKill, .powerLoss: return
    case .droppedWrite, .tornWrite, .reorderedWrite, .lostLength, .lostDirectoryEntry:
      // What a power loss does; most power losses do most of it.
      if lane.draw("fate", below: 4) != 0 { losses.formUnion(DiskFaults(fault)) }
    case .bitRot:
      // Most openings end at it, and the tape with them: rarer than the others.
      if lane.draw("on", below: 8) == 7 { faults[fault] = 8 << lane.draw("rarity", below: 8) }
    case .readError:
      // Engines read little but when they open.
      if lane.draw("on", below: 4) == 3 { faults[fault] = 4 << lane.draw("rarity", below: 8) }
    case .writeError, .noSpace, .syncFailure:
      if lane.draw("on", below: 4) == 3 {
        faults[fault] = 64 << lane.draw("rarity", below: 6)
      }
    case .shortRead, .shortWrite, .latency:
      if lane.draw("on", below: 3) == 2 {
        faults[fault] = 4 << lane.draw("rarity", below: 8)
      }
    case .faultPointError, .faultPointDelay, .faultPointKill:
      if lane.draw("on", below: 3) == 2 { faults[fault] = 1 }
    case .misdirectedRead, .misdirectedWrite, .staleRead, .latentSectorError, .stuckCall,
      .lyingSync:
      return
    }
  }

  /// What lies or lasts ends most tapes that meet it: in few of them.
  private mutating func drawMedia(_ fault: FaultClass, _ lane: ChoiceLane) {
    switch fault {
    case .misdirectedRead, .staleRead, .latentSectorError, .stuckCall:
      if lane.draw("on", below: 12) == 11 { faults[fault] = 4 << lane.draw("rarity", below: 8) }
    case .misdirectedWrite, .lyingSync:
      if lane.draw("on", below: 12) == 11 { faults[fault] = 16 << lane.draw("rarity", below: 6) }
    default: return
    }
  }

  /// Each point on in one tape of four, once in 1 to 128 hits.
  private mutating func drawPoints(_ names: [String], _ lane: ChoiceLane) {
    if faults[.faultPointError] | faults[.faultPointDelay] | faults[.faultPointKill] == 0 { return }
    for name in names where lane.draw("point", below: 4) == 3 {
      faults.setPoint(name, oneIn: 1 << (1 + lane.draw("pointRarity", below: 7)))
    }
  }
}
