import Platform

/// A small simulated world of threads on fibres, one running at a time, switched by a seeded
/// generator at every call, and in a build with the trait `SchedulePoints` at every atomic access
/// too. Time passes now and then, and when nobody can run.
final class FibreWorld: Threads, Clock, @unchecked Sendable {
  // Unchecked: everything happens on one operating-system thread.
  private struct State {
    var permit = false
    var waits = false
    var deadline: Instant?
  }

  private let ring: Ring
  private var states: [State] = []
  private var generator: TestGenerator
  private var time: UInt64 = 0
  private var steps = 0
  /// From then on every call throws `.killed`.
  private var isKilled = false
  private let killAfter: Int?

  init?(seed: Int, killAfter: Int? = nil) {
    guard let ring = Ring() else { return nil }
    self.ring = ring
    self.generator = TestGenerator(seed: UInt64(seed))
    self.killAfter = killAfter
  }

  enum End { case allDone, deadlock, tooLong }

  func run() -> End {
    defer { ring.destroy() }
    return SchedulePoints(world: self).run { schedule() }
  }

  private func schedule() -> End {
    while steps < 2_000_000 {
      steps += 1
      if pick(32) == 0 { time += 10 }
      if let killAfter, steps >= killAfter { isKilled = true }
      var ready: [Int] = []
      var done = 0
      for index in 0..<ring.count {
        if ring.isDone(index) {
          done += 1
        } else if isKilled || isReady(states[index]) {
          ready.append(index)
        }
      }
      if done == ring.count { return .allDone }
      if ready.isEmpty {
        guard let (index, deadline) = nextDeadline() else { return .deadlock }
        time = max(time, deadline)
        ready = [index]
      }
      ring.resume(ready[pick(ready.count)])
    }
    return .tooLong
  }

  private func isReady(_ state: State) -> Bool {
    if !state.waits || state.permit { return true }
    guard let deadline = state.deadline else { return false }
    return deadline.nanoseconds <= time
  }

  private func nextDeadline() -> (Int, UInt64)? {
    var best: (Int, UInt64)?
    for index in 0..<ring.count where !ring.isDone(index) {
      guard let deadline = states[index].deadline?.nanoseconds else { continue }
      if best.map({ deadline < $0.1 }) ?? true { best = (index, deadline) }
    }
    return best
  }

  /// A number below `bound` from the seed.
  func pick(_ bound: Int) -> Int { Int.random(in: 0..<bound, using: &generator) }

  /// Lets others run, half of the time.
  func maybeYield() { if ring.current >= 0 && pick(2) == 0 { ring.goHome() } }

  // MARK: Threads

  func spawn(
    _ name: String, _ body: @escaping @Sendable () -> Void
  ) throws(PlatformError) -> ThreadID {
    states.append(State())
    do { try ring.add { _ in body() } } catch {
      throw PlatformError(.resourceExhausted, operation: "spawn")
    }
    return ThreadID(rawValue: UInt64(states.count - 1))
  }

  func join(_ thread: ThreadID) throws(PlatformError) {
    while !ring.isDone(Int(thread.rawValue)) { try backOff(attempt: 0) }
  }

  var current: ThreadID {
    let index = ring.current
    maybeYield()
    return ThreadID(rawValue: UInt64(index))
  }

  func park(until deadline: Instant?) throws(PlatformError) {
    let index = ring.current
    states[index].waits = true
    states[index].deadline = deadline
    ring.goHome()
    states[index] = State()
    try checkAlive()
  }

  func unpark(_ thread: ThreadID) {
    states[Int(thread.rawValue)].permit = true
    maybeYield()
  }

  func backOff(attempt: Int) throws(PlatformError) {
    ring.goHome()
    try checkAlive()
  }

  private func checkAlive() throws(PlatformError) {
    if isKilled { throw PlatformError(.killed, operation: "park") }
  }

  // MARK: Clock

  func now() -> Instant { Instant(nanoseconds: time) }

  func sleep(nanoseconds: UInt64) throws(PlatformError) {
    let end = Instant(nanoseconds: time + nanoseconds)
    while now() < end { try park(until: end) }
  }
}

/// In a build with the trait of that name, each atomic access may switch.
private final class SchedulePoints: SeamContext {
  private let world: FibreWorld

  init(world: FibreWorld) { self.world = world }

  #if SchedulePoints
    override func schedulePoint(_ address: UInt, _ writes: Bool) { world.maybeYield() }
  #endif
}
