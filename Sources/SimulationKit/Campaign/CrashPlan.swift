internal import EngineKit
internal import HistoryKit

/// When and how the next life of the engine ends. One group of the lane "crash": without it, one crash less.
struct CrashPlan {
  var kind = CrashKind.processKill
  /// Which lanes the clients of the life that it ends draw from. It stands in the crash's own group, so
  /// that a crash can be taken out of a tape together with that life, and no other life changes.
  var round = 0
  /// Operations of this life before it, if the clients have so many to do.
  var afterOperations = 0
  /// Where, after that.
  var place = Place.betweenOperations
  /// The opening that follows is itself ended after so many seam calls; 0 is not at all.
  var openingCalls: UInt64 = 0
  /// How that opening ends.
  var openingKind = CrashKind.processKill
  /// Bits that flip while the machine is down.
  var flippedBits = 0
  /// What was recovered is thrown away at once and recovered again, and must be the same.
  var recoversTwice = false

  enum Place {
    case betweenOperations
    /// At the n-th seam call of any thread.
    case seamCall(UInt64)
    /// When any thread asks for the n-th sync: with writes pending.
    case sync(Int)
  }

  /// The next crash of a tape, or nil when there is to be none.
  static func draw(
    _ lane: ChoiceLane, plan: TapePlan, crashesBefore: Int, operations: Int
  ) -> CrashPlan? {
    let allowed = plan.allowsKill || plan.allowsPowerLoss
    if !allowed || crashesBefore >= plan.crashesAtMost { return nil }
    lane.beginGroup()
    // Zero is "no crash"; the first is hardly ever left out.
    let dice = lane.draw("crash", below: 3 * 4096)
    if dice == 0 || (crashesBefore > 0 && dice % 3 == 1) { return nil }
    var crash = CrashPlan()
    crash.round = 1 + Int(lane.draw("round", below: 63))
    crash.kind = drawKind(lane, plan)
    crash.afterOperations = Int(lane.draw("operations", below: UInt64(max(1, operations * 2 / 3))))
    crash.place = drawPlace(lane)
    if lane.draw("inOpening", below: 4) == 3 {
      crash.openingCalls = 1 + lane.draw("openingCalls", below: 4 << lane.draw("far", below: 6))
      crash.openingKind = drawKind(lane, plan)
    }
    crash.recoversTwice = lane.draw("twice", below: 4) == 3
    if plan.faults[.bitRot] != 0 { crash.flippedBits = Int(lane.draw("rot", below: 4)) / 2 }
    return crash
  }

  private static func drawPlace(_ lane: ChoiceLane) -> Place {
    let dice = lane.draw("place", below: 8)
    if dice == 0 { return .betweenOperations }
    if dice < 3 {
      return .seamCall(1 + lane.draw("calls", below: 2 << lane.draw("magnitude", below: 6)))
    }
    // The first more often: later ones of a flush may sync a directory, with no sector pending.
    return .sync(max(1, Int(lane.draw("syncs", below: 4))))
  }

  private static func drawKind(_ lane: ChoiceLane, _ plan: TapePlan) -> CrashKind {
    if !plan.allowsPowerLoss { return .processKill }
    if !plan.allowsKill { return .powerLoss }
    // Power losses are the richer of the two.
    return lane.draw("kind", below: 3) == 0 ? .processKill : .powerLoss
  }
}
