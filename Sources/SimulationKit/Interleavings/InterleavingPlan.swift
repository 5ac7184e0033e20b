internal import EngineKit
internal import HistoryKit

/// What is drawn once for a tape of concurrent programs.
struct InterleavingPlan {
  enum Strategy { case random, priorities, exact }
  /// What a tape draws that says how many calls each turn takes.
  static let exactStrategy: UInt64 = 63

  var settings = EngineSettings()
  var strategy = Strategy.random
  var threads = 2
  var rounds = 1
  var usesSecondTree = false
  /// Freed blocks are never used again. Else they are, as in life: then an address may mean two things.
  var keepsFreedMemory = false
  /// Which fates a power loss may give to what was not synced.
  var losses: DiskFaults = []

  init(_ scenario: InterleavingScenario, _ factory: any EngineFactory, _ lane: ChoiceLane) {
    if scenario.pair != nil {
      settings.automaticBackgroundWork = false
      settings.flushInterval = nil
      settings.pageSize = 256
      settings.segmentSize = 4096
      settings.checkpointInterval = 4096
      settings.memoryBudget = 1 << 20
      keepsFreedMemory = true
      return
    }
    // First: a driver may have been told what to answer.
    let drawn = lane.draw("strategy", below: InterleavingPlan.exactStrategy + 1)
    strategy =
      drawn == InterleavingPlan.exactStrategy ? .exact : drawn % 2 == 1 ? .priorities : .random
    threads =
      scenario.threads.lowerBound
      + Int(lane.draw("threads", below: UInt64(scenario.threads.count)))
    rounds =
      scenario.rounds.lowerBound + Int(lane.draw("rounds", below: UInt64(scenario.rounds.count)))
    // Nothing happens by itself: every thread that runs is one of the program's.
    settings.automaticBackgroundWork = false
    settings.flushInterval = nil
    settings.pageSize = 256 << Int(lane.draw("pageSize", below: 2))
    settings.segmentSize = 4096 << Int(lane.draw("segmentSize", below: 3))
    settings.checkpointInterval = 4096
    // In most tapes a few pages' worth: then they are evicted between the calls, and within them.
    settings.memoryBudget = lane.draw("memoryBudget", below: 4) == 0 ? 1 << 20 : 0
    keepsFreedMemory = lane.draw("keepsFreed", below: 2) == 1
    let trees = scenario.possible(for: factory.capabilities).contains(.crossTreeBatch)
    usesSecondTree = trees && lane.draw("secondTree", below: 2) == 1
    for fault in FaultClass.allCases where factory.faultContract[fault] != .outOfScope {
      losses.formUnion(DiskFaults(fault))
    }
  }
}
