import SimulationKit

/// A tape as bytes: for each lane a run of its own, so that what is put into one lane, or taken out, moves no other.
///
///     SIZE DESCRIPTION
///     1    lane
///     2    n, little-endian
///     n    bytes that its draws take, as `BytesDriver` takes them
///
/// and so on to the end of the input. Runs of one lane are one after the other. Whatever the bytes, they are a tape: a run
/// that is cut short is as long as it is.
struct LanedInput {
  /// By number of the lane.
  var lanes = [[UInt8]](repeating: [], count: LanedInput.laneCount)

  static let laneCount = 64

  init() {}

  init(_ input: [UInt8]) {
    LanedInput.forEachRun(of: input) { lane, run in lanes[lane] += input[run] }
  }

  /// The runs of an input in their order, each with the number of its lane.
  static func forEachRun(of input: [UInt8], _ body: (_ lane: Int, _ run: Range<Int>) -> Void) {
    var place = 0
    while place < input.count {
      let lane = Int(input[place]) % laneCount
      var length = 0
      if place + 2 < input.count { length = Int(input[place + 1]) | Int(input[place + 2]) << 8 }
      let start = min(input.count, place + 3)
      let end = min(input.count, start + length)
      body(lane, start..<end)
      place = end
    }
  }

  var encoded: [UInt8] {
    var bytes: [UInt8] = []
    for (lane, run) in lanes.enumerated() where !run.isEmpty {
      let part = run.prefix(0xFFFF)
      bytes += [UInt8(lane), UInt8(part.count & 0xFF), UInt8(part.count >> 8)]
      bytes += part
    }
    return bytes
  }

  /// Bytes of `encoded`.
  var count: Int {
    var sum = 0
    for run in lanes where !run.isEmpty { sum += run.count + 3 }
    return sum
  }

  /// Clients have lanes in every life, rounds lanes of their own: so many are told apart.
  private static let clients = 8
  private static let names: [String] = [
    "plan", "shape", "swarm", "capacity", "crash", "disk", "schedule", "entropy", "load", "remove",
    "scan", "fill", "reopen", "round", "end", "fault.point",
  ]
  private static let firstOfClients = names.count
  private static let firstOfSchedules = firstOfClients + clients
  private static let firstOfFaults = firstOfSchedules + 8

  /// The number of a lane: faults, and whatever is added to the harness later, by a hash of the name.
  static func number(_ name: String, _ index: Int) -> Int {
    if name == "client" { return firstOfClients + index % 10 % clients }
    if name == "schedule" && index > 0 { return firstOfSchedules + index % 8 }
    if let place = names.firstIndex(of: name) { return place }
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325
    for byte in name.utf8 { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01B3 }
    return firstOfFaults + Int((hash ^ (hash >> 32)) % UInt64(laneCount - firstOfFaults))
  }

  // MARK: Tapes

  /// What makes a recorded tape again, as far as lanes with a run in common allow: draws of these come in the order in
  /// which they were recorded.
  init(_ choices: [Choice]) {
    for choice in choices {
      let (name, index) = LanedInput.parts(of: choice.lane)
      let lane = LanedInput.number(name, index)
      var left = LanedInput.width(choice.bound)
      var rest = choice.value
      while left > 0 {
        lanes[lane].append(UInt8(truncatingIfNeeded: rest))
        rest >>= 8
        left -= 1
      }
    }
  }

  /// "client.12" is 12 of "client".
  private static func parts(of lane: String) -> (name: String, index: Int) {
    guard let dot = lane.lastIndex(of: "."), let index = Int(lane[lane.index(after: dot)...]) else {
      return (lane, 0)
    }
    return (String(lane[..<dot]), index)
  }

  /// Bytes of a draw.
  static func width(_ bound: UInt64) -> Int {
    let highest = bound - 1
    return highest <= 0xFF ? 1 : highest <= 0xFFFF ? 2 : highest <= 0xFFFF_FFFF ? 4 : 8
  }
}

/// Answers from a laned input. What has run out answers 0.
final class LanedDriver: ChoiceDriver {
  /// The lanes' runs, one lane behind the other.
  private let bytes: [UInt8]
  /// Of each lane, where its next draw begins, and where its bytes end.
  private var positions: [Int]
  private let ends: [Int]
  /// By the lanes' ordinals.
  private var numbers: [Int] = []
  /// Labels of which only the first answers are given: what a fuzzer has no time for.
  private let bounds: [(label: String, most: UInt64)]
  /// Labels of which at most so many draws have an answer, and, a bit each, the lanes that have some.
  private var answersLeft: [(lane: Int, label: String, most: Int)]
  private let limited: UInt64

  init(
    _ input: [UInt8], bounds: [(label: String, most: UInt64)] = [],
    most: [(lane: String, label: String, most: Int)] = []
  ) {
    let count = LanedInput.laneCount
    var lengths = [Int](repeating: 0, count: count)
    LanedInput.forEachRun(of: input) { lane, run in lengths[lane] += run.count }
    positions = [Int](repeating: 0, count: count)
    for lane in 1..<count { positions[lane] = positions[lane - 1] + lengths[lane - 1] }
    var ends = positions
    var bytes = [UInt8](repeating: 0, count: input.count)
    LanedInput.forEachRun(of: input) { lane, run in
      for place in run {
        bytes[ends[lane]] = input[place]
        ends[lane] += 1
      }
    }
    self.bytes = bytes
    self.ends = ends
    self.bounds = bounds
    numbers.reserveCapacity(32)
    answersLeft = most.map { (LanedInput.number($0.lane, 0), $0.label, $0.most) }
    limited = answersLeft.reduce(0) { $0 | 1 << UInt64($1.lane) }
  }

  func next(lane: ChoiceLane, label: StaticString, bound: UInt64) -> UInt64 {
    while numbers.count <= lane.ordinal { numbers.append(-1) }
    if numbers[lane.ordinal] < 0 {
      numbers[lane.ordinal] = LanedInput.number(lane.name.description, lane.index)
    }
    let number = numbers[lane.ordinal]
    if limited >> UInt64(number) & 1 == 1,
      let place = answersLeft.firstIndex(where: {
        $0.lane == number && $0.label == label.description
      })
    {
      if answersLeft[place].most == 0 { return 0 }
      answersLeft[place].most -= 1
    }
    var value: UInt64 = 0
    var shift: UInt64 = 0
    var position = positions[number]
    var left = LanedInput.width(bound)
    while left > 0 && position < ends[number] {
      value |= UInt64(bytes[position]) << shift
      shift += 8
      position += 1
      left -= 1
    }
    positions[number] = position
    // Plans are drawn once a tape.
    if lane.ordinal < 2 {
      for limit in bounds where limit.most < bound && label.description == limit.label {
        return value % limit.most
      }
    }
    return value % bound
  }
}
