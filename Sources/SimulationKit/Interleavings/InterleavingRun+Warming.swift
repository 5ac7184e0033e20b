internal import EngineKit
internal import Platform

/// Threads that have worked before. What a thread does once in its life (it claims a place in the epoch table, takes a
/// slab to allocate from, is admitted for its next writes) has nothing to do with the calls that are explored, and
/// would multiply the orders of what conflicts by its own: those of two threads that begin are explored with
/// pairs.
extension InterleavingRun {
  /// Starts the threads of a round: each overwrites an entry that no call of the round touches, and waits. When all
  /// do, the round's schedule begins, and all go on.
  func startWarm(
    _ programs: [[Operation]], _ engine: any KeyValueEngine, _ threads: any Threads
  ) throws(PlatformError) -> [ThreadID] {
    var spawned: [ThreadID] = []
    for (number, program) in programs.enumerated() {
      // The first and the last of those that are there.
      let place = number * 10
      let value = world.newValue(length: 8)
      state[place] = value
      spawned.append(
        try threads.spawn("thread \(number)") {
          self.warmUp(place, value, engine)
          do throws(PlatformError) { try threads.park(until: nil) } catch { return }
          self.serve(number, program, engine)
        })
    }
    while spawned.contains(where: { simulation.scheduler.thread($0.rawValue)?.state != .parked }) {
      try threads.backOff(attempt: 0)
    }
    beginSchedule()
    for thread in spawned {
      if let known = simulation.scheduler.thread(thread.rawValue) { strategy.began(known) }
      threads.unpark(thread)
    }
    return spawned
  }

  private func warmUp(_ place: Int, _ value: UInt16, _ engine: any KeyValueEngine) {
    do throws(EngineError) {
      _ = try engine.insert(
        world.bytes(value) ?? [], for: ProgramWorld.key(place), in: .default)
    } catch {
      if error.code != .killed { fail("error-contract", "a write before the round: \(error)") }
    }
  }
}
