internal import Platform

/// Time, threads and random bits of a process that has one thread, all of them made up: nothing
/// waits, nothing is drawn from outside, and the same calls give the same answers. Far cheaper than
/// a simulation.
///
/// A wait that nobody can end fails as in a process that is killed, and is remembered.
///
/// Used on one thread; unchecked for that reason.
final class SoleWorld: Clock, Threads, Entropy, @unchecked Sendable {
  private var time: UInt64 = 1_000_000_000
  private var drawn: UInt64 = 0
  private var hasPermit = false
  /// The process waits for what cannot come.
  private(set) var isStuck = false

  /// What a process needs besides files.
  func platform(_ files: any FileSystem) -> PlatformServices {
    PlatformServices(files: files, clock: self, threads: self, entropy: self)
  }

  func now() -> Instant {
    time += 1000
    return Instant(nanoseconds: time)
  }

  func sleep(nanoseconds: UInt64) throws(PlatformError) {
    try step("sleep")
    time &+= nanoseconds
  }

  func next() -> UInt64 {
    drawn += 1
    return SplitMix64.mix(drawn)
  }

  func spawn(
    _ name: String, _ body: @escaping @Sendable () -> Void
  ) throws(PlatformError) -> ThreadID {
    throw PlatformError(
      .resourceExhausted, operation: "spawn", detail: "there is one thread in this world")
  }

  func join(_ thread: ThreadID) {}

  var current: ThreadID { ThreadID(rawValue: 1) }

  func park(until deadline: Instant?) throws(PlatformError) {
    if hasPermit {
      hasPermit = false
      return
    }
    guard let deadline else { throw stuck("park") }
    try step("park")
    time = max(time, deadline.nanoseconds)
  }

  func unpark(_ thread: ThreadID) { hasPermit = true }

  func backOff(attempt: Int) throws(PlatformError) { try step("backOff") }

  /// Waits that were not vain so far: there are few in a right engine.
  private var waits = 0

  private func step(_ operation: String) throws(PlatformError) {
    if isStuck { throw stuck(operation) }
    waits += 1
    if waits > 100_000 { throw stuck(operation) }
  }

  private func stuck(_ operation: String) -> PlatformError {
    isStuck = true
    return PlatformError(.killed, operation: operation, detail: "nobody can end this wait")
  }
}
