import HistoryKit
import Testing

@Suite struct LinearizabilityTests {
  typealias Call = SmallMapSearch.Call

  private func call(_ action: SmallMap.Action, _ invoked: Int, _ returned: Int = .max) -> Call {
    TimedAction(action, invoked: invoked, returned: returned)
  }

  private func state(_ places: [Int: UInt16]) -> SmallMap.State {
    var state = SmallMap.State()
    for place in 0..<SmallMap.capacity { state[place] = places[place] ?? 0 }
    return state
  }

  @Test func callsInOneAnotherMayTakeEffectInAnyOrder() {
    // A read beside a write sees the old value or the new one; after it, only the new one.
    let write = call(.write(0, value: 2, found: 1), 0, 3)
    for (found, invoked, holds) in [
      (UInt16(1), 1, true), (2, 1, true), (1, 4, false), (2, 4, true),
    ] {
      let read = call(.read(0, found: found), invoked, invoked + 1)
      let violation = SmallMapSearch.violation([write, read], from: state([0: 1]))
      #expect((violation == nil) == holds)
    }
  }

  @Test func newThenOldIsConvicted() {
    let calls = [
      call(.write(0, value: 2, found: 1), 0, 5), call(.read(0, found: 2), 1, 2),
      call(.read(0, found: 1), 3, 4),
    ]
    let longest = SmallMapSearch.violation(calls, from: state([0: 1]))
    #expect(longest?.count == 2)
  }

  @Test func whatDidNotReturnMayHaveHappenedOrNot() {
    let lost = call(.write(0, value: 2, found: nil), 0)
    for found in [UInt16(1), 2] {
      let read = call(.read(0, found: found), 1, 2)
      #expect(SmallMapSearch.violation([lost, read], from: state([0: 1])) == nil)
    }
    let read = call(.read(0, found: 3), 1, 2)
    #expect(SmallMapSearch.violation([lost, read], from: state([0: 1])) != nil)
  }

  @Test func batchesAndScansAreOneMoment() {
    let batch = call(.batch([.init(0, 1), .init(1, 1)]), 0, 9)
    func scan(_ found: [SmallMap.Write], limit: Int = .max, backward: Bool = false) -> Bool {
      let scan = call(
        .scan(lower: 0, upper: 16, backward: backward, limit: limit, found: found), 1, 2)
      return SmallMapSearch.violation([batch, scan], from: state([:])) == nil
    }
    #expect(scan([]) && scan([.init(0, 1), .init(1, 1)]))
    #expect(!scan([.init(0, 1)]) && !scan([.init(1, 1)]))
    #expect(scan([.init(0, 1)], limit: 1) && !scan([.init(1, 1)], limit: 1))
    #expect(scan([.init(1, 1), .init(0, 1)], backward: true))
    #expect(!scan([.init(0, 1), .init(1, 1)], backward: true))
  }

  @Test func exchangesAnswerWhatTheyDid() {
    func exchange(_ expected: UInt16, _ exchanged: Bool, _ found: UInt16) -> Bool {
      let answer = SmallMap.ExchangeAnswer(exchanged: exchanged, found: found)
      let exchange = call(.exchange(0, expected: expected, desired: 5, answer: answer), 0, 1)
      let read = call(.read(0, found: exchanged ? 5 : found), 2, 3)
      return SmallMapSearch.violation([exchange, read], from: state([0: 1])) == nil
    }
    #expect(exchange(1, true, 1) && exchange(2, false, 1))
    #expect(!exchange(2, true, 1) && !exchange(1, false, 1) && !exchange(2, false, 2))
  }

  @Test func aCrashLeavesAPrefixThatHoldsWhatWasFlushed() {
    let calls = [
      call(.write(0, value: 1, found: 0), 0, 1), call(.write(1, value: 2, found: 0), 2, 3),
      call(.write(2, value: 3, found: nil), 4),
    ]
    func holds(_ recovered: [Int: UInt16], floor: UInt64) -> Bool {
      SmallMapSearch.violation(
        calls, from: state([:]), recovered: state(recovered), floor: floor) == nil
    }
    #expect(holds([:], floor: 0) && holds([0: 1], floor: 0) && holds([0: 1, 1: 2], floor: 0))
    #expect(holds([0: 1, 1: 2, 2: 3], floor: 0))
    #expect(holds([0: 1], floor: 1) && !holds([:], floor: 1))
    // Holes, and what was lost in the middle.
    #expect(!holds([1: 2], floor: 0) && !holds([0: 1, 2: 3], floor: 0))
  }

  @Test func scansThatAreNotAtomicAreJudgedKeyByKey() {
    let writes = [
      call(.write(0, value: 1, found: 0), 0, 1), call(.write(1, value: 2, found: 0), 2, 3),
    ]
    func holds(_ found: [SmallMap.Write], _ invoked: Int, _ returned: Int) -> Bool {
      let scan = call(
        .scan(lower: 0, upper: 16, backward: false, limit: .max, found: found), invoked, returned)
      return SmallMapProjection.violation(
        writes + [scan], isWeak: [false, false, true], from: state([:])) == nil
    }
    // The later write without the earlier: no state that there ever was, but right key by key.
    #expect(holds([.init(1, 2)], -1, 9))
    #expect(!holds([.init(1, 2)], 4, 5) && holds([.init(0, 1), .init(1, 2)], 4, 5))
    #expect(!holds([.init(0, 7)], -1, 9))
  }
}
