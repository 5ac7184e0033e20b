import Foundation
import Synchronization

/// The threads of one step: they begin together, and the time ends when the last has worked.
final class Crew<Result: Sendable>: Sendable {
  private struct State {
    var results: [Result] = []
    var last: ContinuousClock.Instant?
    var failure: (any Error)?
  }

  private let count: Int
  private let state = Mutex(State())
  private let ready = DispatchSemaphore(value: 0)
  private let go = DispatchSemaphore(value: 0)
  private let done = DispatchSemaphore(value: 0)

  init(_ count: Int) { self.count = count }

  /// Runs the body on each thread. It prepares, calls `start`, works, calls `finish`, and cleans up.
  func run(
    _ body:
      @escaping @Sendable (_ thread: Int, _ start: () -> Void, _ finish: () -> Void) throws
      -> Result
  ) throws -> (results: [Result], seconds: Double) {
    for index in 0..<count {
      let thread = Thread { self.work { try body(index, $0, $1) } }
      thread.stackSize = 4 << 20
      thread.start()
    }
    for _ in 0..<count { ready.wait() }
    let begun = ContinuousClock.now
    for _ in 0..<count { go.signal() }
    for _ in 0..<count { done.wait() }
    let end = state.withLock { $0 }
    if let failure = end.failure { throw failure }
    guard let last = end.last else { throw BenchmarkError("no thread worked") }
    return (end.results, (last - begun) / .seconds(1))
  }

  private func work(_ body: (() -> Void, () -> Void) throws -> Result) {
    var hasStarted = false
    func start() {
      hasStarted = true
      ready.signal()
      go.wait()
    }
    func finish() {
      let now = ContinuousClock.now
      state.withLock { $0.last = max($0.last ?? now, now) }
    }
    do {
      let result = try body(start, finish)
      state.withLock { $0.results.append(result) }
    } catch {
      if !hasStarted { start() }
      state.withLock { $0.failure = error }
    }
    done.signal()
  }
}
