internal import EngineKit

/// The faults of a run: the plan, how far each is from striking, and what has struck.
struct FaultState {
  private(set) var plan: FaultPlan
  private(set) var counts = [Int](repeating: 0, count: FaultClass.allCases.count)
  /// Over all classes.
  private(set) var total = 0
  private(set) var pointHits = NameCounts()
  private(set) var pointsFired = NameCounts()

  private let tape: ChoiceTape
  /// By ordinal of the class; nil for classes that are off, and before a class is first asked for.
  private var countdowns = [FaultCountdown?](repeating: nil, count: FaultClass.allCases.count)
  private var rarities: [UInt64]
  /// By number of the point's name.
  private var points: [PointState] = []
  /// What points that fire answer with; 0 is nothing.
  private var answers: [FaultPointAnswer] = [.nothing]

  private enum PointState {
    /// Not looked up in the plan since that was set.
    case unknown
    case off
    case on(FaultCountdown, lane: ChoiceLane)
  }

  init(tape: ChoiceTape, plan: FaultPlan) {
    self.tape = tape
    self.plan = FaultPlan()
    rarities = [UInt64](repeating: 0, count: FaultClass.allCases.count)
    change(to: plan)
  }

  /// Classes and points whose rarity stays keep their countdowns.
  mutating func change(to next: FaultPlan) {
    for fault in FaultClass.allCases where next[fault] != rarities[fault.ordinal] {
      countdowns[fault.ordinal] = nil
      rarities[fault.ordinal] = next[fault]
    }
    if next.points != plan.points {
      points = [PointState](repeating: .unknown, count: points.count)
    }
    answers = [.nothing]
    if next[.faultPointError] != 0 { answers.append(.error) }
    if next[.faultPointDelay] != 0 { answers.append(.delay) }
    if next[.faultPointKill] != 0 { answers.append(.kill) }
    plan = next
  }

  mutating func count(_ fault: FaultClass) {
    counts[fault.ordinal] += 1
    total += 1
  }

  /// Whether this call, which the class could strike, is struck.
  mutating func strikes(_ fault: FaultClass) -> Bool {
    let ordinal = fault.ordinal
    if rarities[ordinal] == 0 { return false }
    if countdowns[ordinal] == nil {
      countdowns[ordinal] = FaultCountdown(
        lane: tape.lane(fault.laneName), label: "calls", oneIn: rarities[ordinal])
    }
    if !countdowns[ordinal]!.strikes() { return false }
    count(fault)
    return true
  }

  /// Counts a hit of a fault point, and draws what it answers.
  mutating func hit(_ name: StaticString, suspended: Bool) -> FaultPointAnswer {
    let number = pointHits.add(name)
    if suspended || plan.points.isEmpty || answers.count == 1 { return .nothing }
    while points.count <= number { points.append(.unknown) }
    if case .unknown = points[number] { points[number] = lookUp(name) }
    guard case .on(var countdown, let lane) = points[number] else { return .nothing }
    let fires = countdown.strikes()
    points[number] = .on(countdown, lane: lane)
    if !fires { return .nothing }
    let answer = answers[Int(lane.draw("answer", below: UInt64(answers.count)))]
    if answer == .nothing { return answer }
    _ = pointsFired.add(name)
    if let fault = answer.fault { count(fault) }
    return answer
  }

  /// How long a delayed fault point takes, in nanoseconds: a microsecond to half a second.
  func delay() -> UInt64 {
    1000 &<< tape.lane(FaultClass.faultPointDelay.laneName).draw("magnitude", below: 20)
  }

  private func lookUp(_ name: StaticString) -> PointState {
    let text = name.description
    var index = 0
    while index < plan.points.count {
      if plan.points[index].name == text {
        let lane = tape.lane("fault.point", index)
        let countdown = FaultCountdown(lane: lane, label: name, oneIn: plan.points[index].oneIn)
        return .on(countdown, lane: lane)
      }
      index += 1
    }
    return .off
  }
}

/// What a fault point does to the thread that hits it.
enum FaultPointAnswer: Equatable {
  case nothing
  case error
  case delay
  case kill

  var fault: FaultClass? {
    switch self {
    case .nothing: nil
    case .error: .faultPointError
    case .delay: .faultPointDelay
    case .kill: .faultPointKill
    }
  }
}
