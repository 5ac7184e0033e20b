internal import EngineKit
internal import HistoryKit

/// Crashes in recoveries.
extension CrashExploration {
  /// Samples at each call, beside nothing and all of the unsynced.
  private static let samples = 1

  /// At each I/O call of a recovery from `disk` the power goes: with nothing and with all of the
  /// unsynced kept, and one other state that is drawn. What is recovered from there must be what is
  /// recovered from the image itself, which is number `parent` among the images.
  func crashRecovery(
    _ disk: SimulatedDisk, _ calls: [LoggedCall], parent id: String, _ parent: Int
  ) {
    // Two writers of one disk: what the second replay changes must not be seen by the first.
    var replay = LogReplay(disk, DiskHash(disk))
    let tape = ChoiceTape(driver: SeededDriver(seed: SeededDriver.derive(options.seed, from: id)))
    let lane = tape.lane("sample")
    var moment = 0
    for call in calls {
      if call.isInputOutput {
        result.recoveryCalls += 1
        crash(replay, at: moment, before: call, lane, id, parent)
        moment += 1
      }
      do throws(CallLogError) { try replay.apply(call) } catch {
        result.obstacle = "the calls of a recovery cannot be replayed: \(error)"
        return
      }
    }
    crash(replay, at: moment, before: nil, lane, id, parent)
  }

  private func crash(
    _ replay: LogReplay, at moment: Int, before call: LoggedCall?, _ lane: ChoiceLane,
    _ id: String, _ parent: Int
  ) {
    let enumeration = StateEnumeration(PendingChanges(replay.disk, replay.hashes))
    var pending = enumeration.pending
    var possible = 0
    enumeration.visit { _, _, _ in possible += 1 }
    var wanted = 0
    if possible > 2 { wanted = 2 + Int(lane.draw("state", below: UInt64(possible - 2))) }
    var number = 0
    enumeration.visit { kind, ordinal, choices in
      defer { number += 1 }
      if number > 1 && number != wanted { return }
      let state = "\(id)/\(StateID(moment: moment, kind: kind, ordinal: ordinal).text)"
      if let only = options.only, only.contains("/"), only != state { return }
      result.statesInRecovery += 1
      let image = pending.hash(choices)
      let place: Int
      if let found = known[image] {
        place = found
      } else {
        place = learn(replay.disk.copy(leaving: choices, of: pending), state, image, nil)
        result.imagesInRecovery += 1
      }
      guard let problem = difference(place, parent) else { return }
      note(describe(problem, state, choices, pending, call))
    }
  }

  /// How recovery from one image differs from that from another.
  private func difference(_ one: Int, _ other: Int) -> Violation? {
    if let problem = images[one].problem { return problem }
    if images[one].state == images[other].state { return nil }
    return Violation(
      property: "recovery-idempotence",
      detail: "a crash in the recovery changes what is recovered", step: 0)
  }
}
