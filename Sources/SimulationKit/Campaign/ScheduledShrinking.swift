internal import EngineKit

/// The shrinking of one tape.
///
/// A schedule is tied to the program that it was drawn for: who leaves a call out moves all the switches that come after.
/// So of concurrent programs first the whole is shrunk, with its schedule said exactly (`ExactStrategy`); then, again and
/// again, one more call is left out and a schedule is *looked for* that fails without it, and one with fewer switches: among some
/// that are drawn, all with one preemption, and some of those with two.
struct ScheduledShrinking {
  let subject: any TapeSubject
  let factory: any EngineFactory
  let options: TapeOptions
  let property: String
  var runsLeft: Int
  let shouldStop: () -> Bool
  let run: TapeShrinking.Run

  /// Schedules that are tried for a program with one call less, and for one that is to fail with fewer switches.
  private static let schedules = 60
  private static let schedulesOfWhole = 240
  /// Calls of programs small enough to go through all schedules with one preemption.
  private static let fewCalls = 8
  private static let farthest: UInt64 = 2000
  private static let pairsDrawn = 1000

  private var isOver: Bool { runsLeft <= 0 || shouldStop() }

  mutating func shrink(_ original: [Choice]) -> [Choice] {
    guard let exact = exactly(ReplayDriver(original)) else { return simplify(original) }
    var best = simplify(exact)
    var hasImproved = true
    while hasImproved && !isOver {
      hasImproved = leaveOutCalls(&best)
      let most = TapeComplexity(best).switches
      if most < 2 || isOver { continue }
      if let found = searchDrawn(best, ScheduledShrinking.schedulesOfWhole, most)
        ?? searchFew(best, most)
      {
        best = simplify(found)
        hasImproved = true
      }
    }
    return best
  }

  /// Whether it could.
  private mutating func leaveOutCalls(_ best: inout [Choice]) -> Bool {
    var hasImproved = false
    // From the end: what fails last needs what came first more often than the reverse.
    var group = groups(of: best).count
    while group > 0 && !isOver {
      group -= 1
      let groups = groups(of: best)
      if group >= groups.count { continue }
      let program = without(groups[group], of: best)
      var found = searchDrawn(program, ScheduledShrinking.schedules, nil)
      if found == nil && groups.count <= ScheduledShrinking.fewCalls {
        found = searchFew(program, 3)
      }
      guard let found else { continue }
      let simple = simplify(found)
      if TapeComplexity(simple) < TapeComplexity(best) {
        best = simple
        hasImproved = true
      }
    }
    return hasImproved
  }

  private mutating func simplify(_ choices: [Choice]) -> [Choice] {
    var runs = 0
    let result = Shrinker(maximumRuns: max(0, runsLeft)).shrink(
      choices, shouldStop: shouldStop,
      rerun: { tape in
        runs += 1
        return rerun(tape)?.choices
      })
    runsLeft -= runs
    return result.choices
  }

  /// The result, if the tape still violates the property. Several may break at one step, and another one may
  /// then come first.
  func rerun(_ choices: [Choice]) -> TapeResult? {
    let again = run(subject, factory, ReplayDriver(choices), options)
    return again.failures.contains { $0.property == property } ? again : nil
  }

  /// Places of the choices of each group: from its first to the one before the lane's next.
  private func groups(of choices: [Choice]) -> [[Int]] {
    var groups: [[Int]] = []
    // Looked up only.
    var open: [String: Int] = [:]
    for (place, choice) in choices.enumerated() {
      if choice.beginsGroup {
        open[choice.lane] = groups.count
        groups.append([place])
      } else if let group = open[choice.lane] {
        groups[group].append(place)
      }
    }
    return groups
  }

  private func without(_ places: [Int], of choices: [Choice]) -> [Choice] {
    var kept: [Choice] = []
    var next = 0
    for (place, choice) in choices.enumerated() {
      if next < places.count && places[next] == place {
        next += 1
      } else {
        kept.append(choice)
      }
    }
    return kept
  }

  /// A tape that fails, with its schedule said exactly, of the program of `choices` and of so many schedules; with
  /// fewer than `most` switches.
  private mutating func searchDrawn(
    _ choices: [Choice], _ schedules: Int, _ most: Int?
  ) -> [Choice]? {
    var program = choices
    guard let place = strategyPlace(in: program) else { return nil }
    program.removeAll(where: \.isOfSchedule)
    var seed: UInt64 = 0
    while seed < UInt64(schedules) && !isOver {
      // Few switches at first: priorities.
      program[place].value = seed % 3 == 2 ? 0 : 1
      let driver = ScheduleSearchDriver(program, seed: seed)
      seed += 1
      runsLeft -= 1
      let found = run(subject, factory, driver, options)
      guard found.failures.contains(where: { $0.property == property }) else { continue }
      if let exact = exactly(ReplayDriver(found.choices)),
        most.map({ most in TapeComplexity(exact).switches < most }) ?? true
      {
        return exact
      }
    }
    return nil
  }

  /// The same among all schedules with one preemption, and some with two; with fewer than `most`.
  private mutating func searchFew(_ choices: [Choice], _ most: Int) -> [Choice]? {
    var program = choices
    guard let place = strategyPlace(in: program) else { return nil }
    program.removeAll(where: \.isOfSchedule)
    program[place].value = InterleavingPlan.exactStrategy
    // Points of the thread that begins, by which one that is.
    var lengths: [UInt64] = []
    var threads = 2
    while lengths.count < threads {
      var after: UInt64 = 1
      while after < ScheduledShrinking.farthest && !isOver {
        let driver = FewPreemptionsDriver(program, first: UInt64(lengths.count), after: [after])
        let found = attempt(driver)
        if let failing = found.failing { return failing }
        threads = driver.threads
        if found.preemptions == 0 { break }
        after += 1
      }
      lengths.append(after)
    }
    if most < 3 { return nil }
    var random = Xoshiro256(seed: 1)
    var left = ScheduledShrinking.pairsDrawn
    while left > 0 && !isOver {
      left -= 1
      let first = Int(random.next(below: UInt64(threads)))
      let second = (first + 1) % threads
      let after = [
        1 + random.next(below: lengths[first]), 1 + random.next(below: lengths[second]),
      ]
      let driver = FewPreemptionsDriver(program, first: UInt64(first), after: after)
      if let failing = attempt(driver).failing { return failing }
    }
    return nil
  }

  /// The tape, if it fails.
  private mutating func attempt(
    _ driver: FewPreemptionsDriver
  ) -> (failing: [Choice]?, preemptions: Int) {
    runsLeft -= 1
    let found = run(subject, factory, driver, options)
    let fails = found.failures.contains { $0.property == property }
    return (fails ? found.choices : nil, found.counters.preemptions)
  }

  private func strategyPlace(in choices: [Choice]) -> Int? {
    choices.firstIndex { $0.lane == "plan" && $0.label == "strategy" }
  }

  /// The same run, with its schedule said exactly; nil where the tape has none, or the options name a strategy, or it
  /// holds when it is run again.
  private mutating func exactly(_ driver: any ChoiceDriver) -> [Choice]? {
    if options.strategy != nil { return nil }
    var recording = options
    recording.recordsSchedule = true
    runsLeft -= 2
    let again = run(subject, factory, driver, recording)
    guard !again.schedule.isEmpty, let place = strategyPlace(in: again.choices) else { return nil }
    var choices = again.choices
    choices[place].value = InterleavingPlan.exactStrategy
    choices.removeAll(where: \.isOfSchedule)
    return rerun(choices + again.schedule)?.choices
  }
}

/// Answers as a tape does, but for the schedule, which a seed draws.
private final class ScheduleSearchDriver: ChoiceDriver {
  private let program: ReplayDriver
  private let schedule: SeededDriver

  init(_ choices: [Choice], seed: UInt64) {
    program = ReplayDriver(choices)
    schedule = SeededDriver(seed: seed)
  }

  func next(lane: ChoiceLane, label: StaticString, bound: UInt64) -> UInt64 {
    let isOfSchedule = lane.name.description == "schedule"
    return isOfSchedule
      ? schedule.next(lane: lane, label: label, bound: bound)
      : program.next(lane: lane, label: label, bound: bound)
  }
}

/// Answers as a tape does, but for the exact schedule of each round: who begins, and after how many points he and
/// then the next one are preempted. `TurnDriver` answers other draws: those of `PreemptionStrategy`, which asks for the
/// number of preemptions first, and then in turns of the program's threads alone, in the one round of a pair, beside which
/// no tape is. `ExactStrategy` asks in every turn, of every round, also before the program's threads begin.
private final class FewPreemptionsDriver: ChoiceDriver {
  private let program: ReplayDriver
  private let first: UInt64
  private let after: [UInt64]
  private var round = -1
  private var turns = 0
  private var hasBegun = false
  /// Of the last round: how many could have begun.
  private(set) var threads = 2

  init(_ choices: [Choice], first: UInt64, after: [UInt64]) {
    program = ReplayDriver(choices)
    self.first = first
    self.after = after
  }

  func next(lane: ChoiceLane, label: StaticString, bound: UInt64) -> UInt64 {
    if lane.name.description != "schedule" {
      return program.next(lane: lane, label: label, bound: bound)
    }
    if lane.index != round {
      round = lane.index
      turns = 0
      hasBegun = false
    }
    if label.description == "next" {
      if hasBegun { return 0 }
      hasBegun = true
      threads = Int(bound)
      return min(first, bound - 1)
    }
    // Who starts the threads has a turn before them.
    if !hasBegun { return 0 }
    turns += 1
    return turns <= after.count ? min(after[turns - 1], bound - 1) : 0
  }
}
