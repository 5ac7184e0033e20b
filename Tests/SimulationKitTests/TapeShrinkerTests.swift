import SimulationKit
import Testing

/// Operations drawn from a tape: each a group {go on?, kind, key}, until a draw says stop.
private struct DrawnOperation: Equatable {
  var kind: UInt64
  var key: UInt64
}

private func operations(_ tape: ChoiceTape) -> [DrawnOperation] {
  let lane = tape.lane("client")
  let schedule = tape.lane("schedule")
  var drawn: [DrawnOperation] = []
  while true {
    lane.beginGroup()
    if lane.draw("more", below: 500) == 0 { return drawn }
    _ = schedule.draw("who", below: 4)
    drawn.append(
      DrawnOperation(kind: lane.draw("kind", below: 6), key: lane.draw("key", below: 1000)))
  }
}

private func replayed(_ choices: [Choice]) -> (operations: [DrawnOperation], tape: [Choice]) {
  let tape = ChoiceTape(driver: ReplayDriver(choices))
  let drawn = operations(tape)
  return (drawn, tape.recorded)
}

private func recordedTape(failing: ([DrawnOperation]) -> Bool) -> [Choice] {
  var seed: UInt64 = 0
  while true {
    let tape = ChoiceTape(driver: SeededDriver(seed: seed))
    if failing(operations(tape)) && tape.drawCount > 400 { return tape.recorded }
    seed += 1
  }
}

@Suite struct TapeShrinkerTests {
  /// Fails when an insert (kind 2) of a key of 700 or more comes before a remove (kind 5).
  private func fails(_ drawn: [DrawnOperation]) -> Bool {
    guard let first = drawn.firstIndex(where: { $0.kind == 2 && $0.key >= 700 }) else {
      return false
    }
    return drawn[first...].contains { $0.kind == 5 }
  }

  private let minimum = [DrawnOperation(kind: 2, key: 700), DrawnOperation(kind: 5, key: 0)]

  @Test func findsTheKnownMinimum() {
    let tape = recordedTape(failing: fails)
    let result = Shrinker(maximumRuns: 5000).shrink(
      tape, stillFails: { fails(replayed($0).operations) })
    #expect(result.isComplete)
    #expect(replayed(result.choices).operations == minimum)
    #expect(!result.choices.contains { $0.lane == "schedule" })
  }

  @Test func findsItFasterFromWhatRunsRecorded() {
    let tape = recordedTape(failing: fails)
    let plain = Shrinker(maximumRuns: 5000).shrink(
      tape, stillFails: { fails(replayed($0).operations) })
    let recording = Shrinker(maximumRuns: 5000).shrink(
      tape,
      rerun: { choices in
        let (drawn, recorded) = replayed(choices)
        return fails(drawn) ? recorded : nil
      })
    #expect(replayed(recording.choices).operations == minimum)
    #expect(recording.runs <= plain.runs)
    #expect(recording.runs < 300)
  }

  @Test func keepsACircumstanceThatMatters() {
    var choices: [Choice] = []
    for index in 0..<40 {
      choices.append(Choice(lane: "schedule", label: "who", bound: 8, value: UInt64(index % 8)))
      choices.append(
        Choice(lane: "client", label: "k", bound: 9, value: 4, beginsGroup: true))
    }
    // Fails when any schedule choice is 5 or more and at least three operations remain.
    let result = Shrinker(maximumRuns: 1000).shrink(
      choices,
      stillFails: { tape in
        tape.contains { $0.lane == "schedule" && $0.value >= 5 }
          && tape.filter { $0.lane == "client" }.count >= 3
      })
    let schedule = result.choices.filter { $0.lane == "schedule" }
    #expect(schedule.map(\.value) == [5])
    let client = result.choices.filter { $0.lane == "client" }
    #expect(client.count == 3)
    #expect(client.last?.value == 1)
  }

  @Test func isDeterministicAndKeepsItsBudget() {
    let tape = recordedTape(failing: fails)
    var runs = 0
    let shrinker = Shrinker(maximumRuns: 37)
    let first = shrinker.shrink(
      tape,
      stillFails: {
        runs += 1
        return fails(replayed($0).operations)
      })
    #expect(runs == 37 && first.runs == 37)
    #expect(!first.isComplete)
    #expect(fails(replayed(first.choices).operations))
    let second = shrinker.shrink(tape, stillFails: { fails(replayed($0).operations) })
    #expect(second.choices == first.choices)
  }

  @Test func stopsWhenToldOrOnAnError() {
    struct Broken: Error {}
    let tape = recordedTape(failing: fails)
    let told = Shrinker(maximumRuns: 1000).shrink(
      tape, shouldStop: { true }, stillFails: { _ in true })
    #expect(told.runs == 0 && !told.isComplete)
    let broken = Shrinker(maximumRuns: 1000).shrink(tape, stillFails: { _ in throw Broken() })
    #expect(broken.runs == 1 && broken.error is Broken)
    #expect(fails(replayed(broken.choices).operations))
  }
}
