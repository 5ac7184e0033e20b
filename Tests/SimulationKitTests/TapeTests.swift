import SimulationKit
import Testing

/// A little program over a tape: what it returns depends on the answers alone.
private func program(_ tape: ChoiceTape) -> [UInt64] {
  let clients = [tape.lane("client"), tape.lane("client", 1)]
  let schedule = tape.lane("schedule")
  var answers: [UInt64] = []
  var step = 0
  while step < 50 {
    let lane = clients[Int(schedule.draw("who", below: 2))]
    lane.beginGroup()
    answers.append(lane.draw("kind", below: 5))
    answers.append(lane.draw("key", below: 1000))
    answers.append(lane.chance("flush", oneIn: 3) ? 1 : 0)
    step += 1
  }
  return answers
}

@Suite struct TapeTests {
  @Test func replayOfARecordedTapeIsIdentical() {
    let tape = ChoiceTape(driver: SeededDriver(seed: 7))
    let answers = program(tape)
    #expect(tape.drawCount == 200)
    let again = ChoiceTape(driver: ReplayDriver(tape.recorded))
    #expect(program(again) == answers)
    #expect(again.recorded == tape.recorded)
  }

  @Test func seedsDecideAndDiffer() {
    let first = program(ChoiceTape(driver: SeededDriver(seed: 1)))
    #expect(first == program(ChoiceTape(driver: SeededDriver(seed: 1))))
    #expect(first != program(ChoiceTape(driver: SeededDriver(seed: 2))))
  }

  @Test func lanesOfASeedAreIndependent() {
    let quiet = ChoiceTape(driver: SeededDriver(seed: 3))
    let busy = ChoiceTape(driver: SeededDriver(seed: 3))
    var expected: [UInt64] = []
    var found: [UInt64] = []
    for _ in 0..<20 { expected.append(quiet.lane("client").draw("key", below: 1 << 40)) }
    for round in 0..<20 {
      for _ in 0..<round { _ = busy.lane("schedule").draw("who", below: 3) }
      found.append(busy.lane("client").draw("key", below: 1 << 40))
    }
    #expect(found == expected)
    let other = ChoiceTape(driver: SeededDriver(seed: 3))
    #expect(other.lane("client", 1).draw("key", below: 1 << 40) != expected[0])
  }

  @Test func deletingOneLanesChoicesLeavesTheOtherAlone() {
    let tape = ChoiceTape(driver: SeededDriver(seed: 9))
    for _ in 0..<10 {
      _ = tape.lane("a").draw("x", below: 100)
      _ = tape.lane("b").draw("y", below: 100)
    }
    let onlyB = tape.recorded.filter { $0.lane == "b" }
    let replayed = ChoiceTape(driver: ReplayDriver(onlyB))
    for choice in onlyB {
      #expect(replayed.lane("a").draw("x", below: 100) == 0)
      #expect(replayed.lane("b").draw("y", below: 100) == choice.value)
    }
    #expect(replayed.lane("b").draw("y", below: 100) == 0)
  }

  @Test func replayBringsValuesIntoTheirBound() {
    let tape = ChoiceTape(
      driver: ReplayDriver([Choice(lane: "a", label: "x", bound: 100, value: 17)]))
    #expect(tape.lane("a").draw("x", below: 5) == 2)
    #expect(tape.recorded[0].value == 2)
    #expect(tape.recorded[0].bound == 5)
  }

  @Test func groupsAndNamesAreRecorded() {
    let tape = ChoiceTape(driver: BytesDriver([1, 2, 3]))
    let lane = tape.lane("client", 2)
    #expect(lane.fullName == "client.2")
    #expect(tape.lane("client").fullName == "client")
    #expect(tape.lane("client", 2) === lane)
    lane.beginGroup()
    #expect(lane.draw("nothing", below: 1) == 0)
    #expect(lane.draw("kind", below: 10) == 1)
    #expect(lane.draw("key", below: 10) == 2)
    #expect(
      tape.recorded == [
        Choice(lane: "client.2", label: "kind", bound: 10, value: 1, beginsGroup: true),
        Choice(lane: "client.2", label: "key", bound: 10, value: 2),
      ])
  }

  @Test func chanceIsFalseForZeroAndNeverWithoutOdds() {
    let zeros = ChoiceTape(driver: ReplayDriver([])).lane("a")
    #expect(!zeros.chance("x", oneIn: 2))
    #expect(!zeros.chance("x", oneIn: 0))
    #expect(zeros.chance("x", oneIn: 1))
    let seeded = ChoiceTape(driver: SeededDriver(seed: 5)).lane("a")
    var hits = 0
    for _ in 0..<4000 where seeded.chance("x", oneIn: 8) { hits += 1 }
    #expect((400...600).contains(hits))
  }

  @Test func seededDrawsCoverTheirRangeEvenly() {
    let lane = ChoiceTape(driver: SeededDriver(seed: 11)).lane("a")
    var counts = [Int](repeating: 0, count: 10)
    for _ in 0..<10_000 { counts[Int(lane.draw("x", below: 10))] += 1 }
    for count in counts { #expect((850...1150).contains(count)) }
  }

  @Test func bytesAreTakenByTheWidthOfTheBound() {
    let driver = BytesDriver([5, 0x34, 0x12, 0xFF])
    let lane = ChoiceTape(driver: driver).lane("a")
    #expect(lane.draw("x", below: 256) == 5)
    #expect(lane.draw("y", below: 0x10000) == 0x1234)
    #expect(!driver.isExhausted)
    #expect(lane.draw("z", below: 10) == 255 % 10)
    #expect(driver.isExhausted)
    #expect(lane.draw("z", below: 10) == 0)
  }

  @Test func odometerEnumeratesEveryTapeOnce() {
    let driver = OdometerDriver(depth: 8)
    var seen: [[UInt64]] = []
    repeat {
      let lane = ChoiceTape(driver: driver).lane("a")
      // The second draw's bound depends on the first answer.
      let first = lane.draw("x", below: 3)
      let second = lane.draw("y", below: first + 1)
      seen.append([first, second, lane.draw("z", below: 2)])
    } while driver.advance()
    #expect(
      seen == [
        [0, 0, 0], [0, 0, 1], [1, 0, 0], [1, 0, 1], [1, 1, 0], [1, 1, 1], [2, 0, 0], [2, 0, 1],
        [2, 1, 0], [2, 1, 1], [2, 2, 0], [2, 2, 1],
      ])
  }

  @Test func odometerKeepsToItsDepthAndWidth() {
    let driver = OdometerDriver(depth: 2, widest: 3)
    var runs = 0
    repeat {
      let lane = ChoiceTape(driver: driver).lane("a")
      var answers: [UInt64] = []
      for _ in 0..<4 { answers.append(lane.draw("x", below: 10)) }
      #expect(answers[0] < 3 && answers[1] < 3 && answers[2] == 0 && answers[3] == 0)
      runs += 1
    } while driver.advance()
    #expect(runs == 9)
  }

  /// The reference outputs of the published generators for these seeds.
  @Test func generatorsMatchTheirDefinition() {
    var split = SplitMix64(seed: 1_234_567)
    #expect(split.next() == 6_457_827_717_110_365_317)
    #expect(split.next() == 3_203_168_211_198_807_973)
  }
}
