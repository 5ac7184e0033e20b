import CPlatform
import Platform

/// Threads as fibres of one real thread, switched by a seeded generator: at every fault point, and
/// in a build with the trait `SchedulePoints` at every access to a shared word. One seed is one
/// interleaving.
///
/// Like a simulator's scheduler, but small enough to say by itself that the tree's code is at
/// fault.
@safe
final class InterleavingWorld: SeamContext, Threads, Clock, @unchecked Sendable {
  // Unchecked: everything happens on one operating-system thread.
  private final class Body {
    unowned let world: InterleavingWorld
    let run: () -> Void
    var isDone = false
    var permit = false
    var waits = false
    /// The last place that it named.
    var place = "its start"
    init(_ world: InterleavingWorld, _ run: @escaping () -> Void) {
      self.world = world
      self.run = run
    }
  }

  private var home: OpaquePointer
  private var fibres: [OpaquePointer] = unsafe []
  private var bodies: [Body] = []
  private var index = -1
  private var random: TestRandom
  private var time: UInt64 = 0
  /// Of 256 points, how many switch.
  private let switchiness: Int
  /// Of 256 fault points, how many fail.
  private let faultiness: Int
  private(set) var steps = 0
  /// Names of the probes met, with how often.
  private(set) var probes: [String: Int] = [:]
  /// A thread that runs no more after so many of its switches; none when negative.
  private let stopped: Int
  private var stepsUntilStopped: Int

  init?(
    seed: UInt64, switchiness: Int = 64, faultiness: Int = 0, stopped: Int = -1, stopAfter: Int = 0
  ) {
    guard let home = unsafe platform_fibre_adopt_thread() else { return nil }
    unsafe self.home = home
    random = TestRandom(seed)
    self.switchiness = switchiness
    self.faultiness = faultiness
    self.stopped = stopped
    stepsUntilStopped = stopAfter
    super.init()
  }

  /// Adds a thread, to be run by `runAll`.
  func add(_ run: @escaping () -> Void) {
    let body = Body(self, run)
    bodies.append(body)
    let fibre = unsafe platform_fibre_create(
      262_144,
      { argument in
        let body = unsafe Unmanaged<Body>.fromOpaque(argument!).takeUnretainedValue()
        body.run()
        body.isDone = true
        body.world.goHome()
      }, Unmanaged.passUnretained(body).toOpaque())
    unsafe fibres.append(fibre!)
  }

  /// Runs all to their ends, but for a stopped one. False when that takes too long.
  func runAll() -> Bool {
    let slot = platform_thread_slot()
    defer { platform_thread_slot_set(slot) }
    return run {
      while steps < 5_000_000 {
        steps += 1
        let ready = bodies.indices.filter { candidate in
          let body = bodies[candidate]
          if candidate == stopped && stepsUntilStopped <= 0 { return false }
          return !body.isDone && (!body.waits || body.permit)
        }
        if ready.isEmpty { return bodies.indices.allSatisfy { bodies[$0].isDone || $0 == stopped } }
        index = ready[random.below(ready.count)]
        if index == stopped { stepsUntilStopped -= 1 }
        platform_thread_slot_set(Int32(100 + index))
        unsafe platform_fibre_switch(home, fibres[index])
        index = -1
        time += 50_000
      }
      return false
    }
  }

  /// Who has not ended, and where each was last seen.
  var situation: String {
    let left = bodies.enumerated().filter { !$0.element.isDone }.map { index, body in
      "thread \(index) after \(body.place)\(body.waits ? ", parked" : "")"
    }
    let often = probes.sorted { $0.value > $1.value }.prefix(12).map { "\($0.key) \($0.value)" }
    return "\(steps) steps; \(left.joined(separator: ", ")); \(often.joined(separator: ", "))"
  }

  /// Frees the fibres. The world is of no use afterwards.
  func end() {
    for place in bodies.indices { unsafe platform_fibre_destroy(fibres[place]) }
    unsafe platform_fibre_destroy(home)
  }

  private func goHome() { unsafe platform_fibre_switch(fibres[index], home) }

  private func point() { if index >= 0 && random.below(256) < switchiness { goHome() } }

  // MARK: SeamContext

  override func faultPoint(_ name: StaticString) throws(PlatformError) {
    guard index >= 0 else { return }
    bodies[index].place = name.description
    if random.below(2) == 0 { goHome() }
    if random.below(256) < faultiness {
      throw PlatformError(.faultPoint, operation: name.description)
    }
  }

  override func probe(_ name: StaticString) {
    probes[name.description, default: 0] += 1
    if index >= 0 { bodies[index].place = name.description }
  }

  #if SchedulePoints
    override func schedulePoint(_ address: UInt, _ writes: Bool) { point() }
  #endif

  // MARK: Threads

  func spawn(
    _ name: String, _ body: @escaping @Sendable () -> Void
  ) throws(PlatformError) -> ThreadID {
    add(body)
    return ThreadID(rawValue: UInt64(bodies.count - 1))
  }

  func join(_ thread: ThreadID) throws(PlatformError) {
    while !bodies[Int(thread.rawValue)].isDone { goHome() }
  }

  var current: ThreadID { ThreadID(rawValue: UInt64(index + 1)) }

  func park(until deadline: Instant?) throws(PlatformError) {
    let body = bodies[index]
    body.waits = deadline == nil
    goHome()
    body.waits = false
    body.permit = false
  }

  func unpark(_ thread: ThreadID) {
    if thread.rawValue > 0 { bodies[Int(thread.rawValue) - 1].permit = true }
  }

  func backOff(attempt: Int) throws(PlatformError) { if index >= 0 { goHome() } }

  // MARK: Clock

  func now() -> Instant { Instant(nanoseconds: time) }
  func sleep(nanoseconds: UInt64) throws(PlatformError) { time += nanoseconds }
}
