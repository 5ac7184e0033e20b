internal import EngineKit

/// Which writes must have survived, at a recovery.
struct DurabilityFloor {
  /// Effective writes that returned before this event must be there.
  let before: Int
  /// False when nothing at all can be demanded, not even what the last recovery showed.
  let isJudgeable: Bool

  /// Rot in the last group of a log cannot be told from a torn tail. So when the engine met rot, or a
  /// write went elsewhere,
  /// the last group made durable is not demanded; and if nothing was made durable since the last
  /// recovery, that group may be part of what the recovery showed.
  init(_ context: JudgeContext) {
    let log = context.writes
    if context.contract[.lyingSync] == .mayLose, context.faults.metSinceCreation(.lyingSync) {
      // Nothing is demanded; and what earlier recoveries showed may be gone, which nobody has a record of.
      before = 0
      isJudgeable = !context.faults.metBeforeRecovery(.lyingSync) && !context.isBeyondContract
      return
    }
    if context.faults.metLastingDamage {
      before = log.sureBefore
      isJudgeable = log.baseIsSure && !context.isBeyondContract
      return
    }
    isJudgeable = !context.isBeyondContract
    before =
      context.capabilities.contains(.synchronousCommits) ? Int.max : log.durableBefore
  }

  func demands(_ record: WriteLog.OperationRecord) -> Bool {
    record.isEffective && record.returned < before
  }
}
