/// The one sequence of choices that makes a run what it is.
///
/// Everything that could go either way is drawn here: operations, keys, faults, which sectors
/// survive, which thread runs. Draws are made in *lanes*, and a replay answers each lane from that
/// lane's own choices: so a choice deleted from one lane does not shift the answers of another.
///
/// Invariants:
/// - Choices are recorded in the order of the draws, over all lanes.
/// - A draw with a bound below 2 has one answer, 0, and is neither asked nor recorded.
/// - Zero is the simplest answer everywhere.
///
/// Used by one operating-system thread.
public final class ChoiceTape: @unchecked Sendable {
  // Unchecked: simulated threads, which share it, share one operating-system thread.

  private let driver: any ChoiceDriver
  private let recording = ChoiceRecording()
  private var lanes: [ChoiceLane] = []

  public init(driver: any ChoiceDriver) {
    self.driver = driver
    lanes.reserveCapacity(32)
  }

  /// The lane of this name and index, made at the first call. Its full name is `name` for index 0
  /// and `name.index` for the others, so `lane("client")` and `lane("client", 0)` are one lane.
  /// Names must not themselves end in a dot and digits.
  public func lane(_ name: StaticString, _ index: Int = 0) -> ChoiceLane {
    let fullName = ChoiceLane.fullName(name, index)
    for lane in lanes where lane.fullName == fullName { return lane }
    let lane = ChoiceLane(
      name: name, index: index, fullName: fullName, ordinal: lanes.count, driver: driver,
      recording: recording)
    lanes.append(lane)
    return lane
  }

  /// Every choice so far, in the order of the draws.
  public var recorded: [Choice] {
    var choices: [Choice] = []
    choices.reserveCapacity(recording.count)
    var index = 0
    while index < recording.count {
      let entry = recording[index]
      choices.append(
        Choice(
          lane: lanes[Int(entry.lane)].fullName, label: entry.label.description,
          bound: entry.bound, value: entry.value, beginsGroup: entry.beginsGroup))
      index += 1
    }
    return choices
  }

  /// The number of choices recorded so far.
  public var drawCount: Int { recording.count }
}
