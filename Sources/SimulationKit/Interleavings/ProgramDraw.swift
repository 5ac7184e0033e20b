internal import EngineKit
internal import HistoryKit

/// Draws what the threads of one round do. Each thread has a lane of its own a round, each call a group:
/// so the shrinker takes calls out of a round without moving any other.
struct ProgramDraw {
  let scenario: InterleavingScenario
  let possible: [ProgramAction]
  let tape: ChoiceTape
  /// Keys that this round is about: few, so that threads meet.
  var focus = 1
  var firstKey = 0
  /// What the places held when the round began, and what its threads may write: a compare-exchange
  /// expects one of these.
  var candidates: [[UInt16]] = []

  init(_ scenario: InterleavingScenario, _ capabilities: EngineCapabilities, _ tape: ChoiceTape) {
    self.scenario = scenario
    self.tape = tape
    possible = scenario.possible(for: capabilities)
  }

  /// The calls of every thread.
  mutating func round(
    _ number: Int, threads: Int, from state: SmallMap.State, _ world: inout ProgramWorld
  ) -> [[Operation]] {
    let lane = tape.lane("round", number)
    focus = 1 << Int(lane.draw("focus", below: 4))
    firstKey = Int(lane.draw("firstKey", below: UInt64(ProgramWorld.split)))
    let most =
      scenario.calls.lowerBound
      + Int(lane.draw("calls", below: UInt64(scenario.calls.count)))
    candidates = (0..<SmallMap.capacity).map { [state[$0]] }
    var programs: [[Operation]] = []
    while programs.count < threads {
      let lane = tape.lane("client", number * 10 + programs.count)
      var program: [Operation] = []
      while program.count < most {
        lane.beginGroup()
        // A tape that has run out answers zero: no more calls.
        let dice = lane.draw("operation", below: UInt64(possible.count) * 4096)
        if dice == 0 { break }
        program.append(operation(possible[Int(dice - 1) % possible.count], lane, &world))
      }
      programs.append(program)
    }
    return programs
  }

  private mutating func operation(
    _ action: ProgramAction, _ lane: ChoiceLane, _ world: inout ProgramWorld
  ) -> Operation {
    let place = place(lane, world)
    let key = ProgramWorld.key(place)
    let tree = ProgramWorld.tree(of: place)
    switch action {
    case .get: return .get(key, in: tree)
    case .insert: return .insert(value(lane, place, &world), for: key, in: tree)
    case .largeInsert:
      let number = world.newValue(length: 200)
      candidates[place].append(number)
      return .insert(world.bytes(number) ?? [], for: key, in: tree)
    case .hugeInsert:
      let number = world.newValue(length: lane.draw("huge", below: 2) == 0 ? 5000 : 9000)
      candidates[place].append(number)
      return .insert(world.bytes(number) ?? [], for: key, in: tree)
    case .remove: return .remove(key, in: tree)
    case .exchange:
      let expected = lane.draw("expected", below: UInt64(candidates[place].count + 1))
      let number = expected == 0 ? 0 : candidates[place][Int(expected) - 1]
      let desired =
        lane.draw("removes", below: 4) == 3 ? nil : value(lane, place, &world) as Bytes?
      return .compareExchange(key, expected: world.bytes(number), desired: desired, in: tree)
    case .scanForward: return scan(.forward, lane, tree)
    case .scanBackward: return scan(.backward, lane, tree)
    case .batch, .crossTreeBatch, .largeBatch: return .batch(batch(action, lane, place, &world))
    case .dropTree: return .dropTree(ProgramWorld.secondTree)
    case .flush: return .flush
    case .checkpoint: return .checkpoint
    case .backgroundWork: return .backgroundWork
    case .evict: return .evict
    case .clean: return .clean
    }
  }

  private func place(_ lane: ChoiceLane, _ world: ProgramWorld) -> Int {
    if world.usesSecondTree && lane.draw("tree", below: 4) == 3 {
      return ProgramWorld.split
        + Int(lane.draw("key", below: UInt64(SmallMap.capacity - ProgramWorld.split)))
    }
    return (firstKey + Int(lane.draw("key", below: UInt64(focus)))) % ProgramWorld.split
  }

  private mutating func value(
    _ lane: ChoiceLane, _ place: Int, _ world: inout ProgramWorld, length: Int? = nil
  ) -> Bytes {
    let dice = length == nil ? lane.draw("length", below: 8) : 0
    let number = world.newValue(length: length ?? (dice < 6 ? 8 : dice == 6 ? 40 : 120))
    candidates[place].append(number)
    return world.bytes(number) ?? []
  }

  private func scan(_ direction: Direction, _ lane: ChoiceLane, _ tree: TreeName) -> Operation {
    let places = ProgramWorld.places(of: tree)
    var range = KeyRange.all
    if lane.draw("bounded", below: 3) == 2 {
      let lower = Int(lane.draw("lower", below: UInt64(places.count)))
      let length = 1 + Int(lane.draw("range", below: UInt64(places.count - lower)))
      range.lower = ProgramWorld.key(places.lowerBound + lower)
      range.upper = ProgramWorld.key(places.lowerBound + lower + length)
    }
    return .scan(range, direction, limit: .max, in: tree)
  }

  private mutating func batch(
    _ action: ProgramAction, _ lane: ChoiceLane, _ first: Int, _ world: inout ProgramWorld
  ) -> [BatchWrite] {
    var writes: [BatchWrite] = []
    let count = 1 + Int(lane.draw("writes", below: 3))
    var place = first
    while writes.count < count {
      let removes = lane.draw("removes", below: 4) == 3
      var bytes: Bytes?
      if !removes {
        bytes = value(lane, place, &world, length: action == .largeBatch ? 480 : nil)
      }
      writes.append(BatchWrite(ProgramWorld.key(place), bytes, in: ProgramWorld.tree(of: place)))
      place = self.place(lane, world)
      // One tree, unless it is to be several.
      if action != .crossTreeBatch && ProgramWorld.tree(of: place) != ProgramWorld.tree(of: first) {
        place = first
      }
    }
    return writes
  }
}
