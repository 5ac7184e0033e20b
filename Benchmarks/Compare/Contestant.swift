import Foundation
import Synchronization

/// An engine with its type forgotten, at the grain of whole workloads.
protocol Contestant {
  var name: String { get }
  var settings: String { get }
  func supports(_ workload: Workload) -> Bool
  /// Opens a new database in an empty directory.
  func open(_ directory: String) throws
  /// Operations a second.
  func run(_ step: Step) throws -> Double
  /// Checks what the step should have left; not timed.
  func verify(_ step: Step) throws
  func close() throws
}

final class EngineContestant<E: Engine>: Contestant {
  private var engine: E?

  var name: String { E.name }
  var settings: String { E.settings }

  func supports(_ workload: Workload) -> Bool { workload != .nextID || E.makesIdentifiers }
  func open(_ directory: String) throws { engine = try E(directory: directory) }

  func close() throws {
    try engine?.close()
    engine = nil
  }

  private func opened() throws -> E {
    guard let engine else { throw BenchmarkError("\(E.name) is not open") }
    return engine
  }

  func run(_ step: Step) throws -> Double {
    let engine = try opened()
    try engine.prepare(durable: step.workload == .commitSync)
    // What the system still writes of former steps would be timed with the first syncs.
    if step.workload == .commitSync { sync() }
    let crew = Crew(step.threads)
    for index in 0..<step.threads {
      let thread = Thread {
        crew.work { start in
          var session = try engine.makeSession()
          start()
          let count = try Execution.run(
            step, thread: index, loadTransaction: E.loadTransaction, &session)
          return (count, { try session.close() })
        }
      }
      thread.stackSize = 4 << 20
      thread.start()
    }
    let rate = try crew.rate()
    try engine.settle()
    return rate
  }

  func verify(_ step: Step) throws {
    var session = try opened().makeSession()
    switch step.workload {
    case .overwrite:
      for index in stride(from: 0, to: step.entries, by: max(step.entries / 1000, 1)) {
        guard try session.version(of: .scrambled(index)) == 3 else {
          throw BenchmarkError("\(E.name): the last overwrite was not read")
        }
      }
    case .delete:
      guard try session.scan(from: nil, limit: 1) == 0 else {
        throw BenchmarkError("\(E.name): entries are left after all were removed")
      }
    default: break
    }
    try session.close()
  }
}

/// The threads of one step: they begin together, and the time ends when the last has worked.
private final class Crew: Sendable {
  private struct State {
    var operations = 0
    var last: ContinuousClock.Instant?
    var failure: (any Error)?
  }

  private let count: Int
  private let state = Mutex(State())
  private let ready = DispatchSemaphore(value: 0)
  private let go = DispatchSemaphore(value: 0)
  private let done = DispatchSemaphore(value: 0)

  init(_ count: Int) { self.count = count }

  /// The body makes a session, calls `start`, works, and returns how much and how to clean up.
  func work(_ body: (_ start: () -> Void) throws -> (Int, () throws -> Void)) {
    var hasStarted = false
    func start() {
      hasStarted = true
      ready.signal()
      go.wait()
    }
    do {
      let (operations, cleanUp) = try body(start)
      let now = ContinuousClock.now
      state.withLock {
        $0.operations += operations
        $0.last = max($0.last ?? now, now)
      }
      try cleanUp()
    } catch {
      if !hasStarted { start() }
      state.withLock { $0.failure = error }
    }
    done.signal()
  }

  func rate() throws -> Double {
    for _ in 0..<count { ready.wait() }
    let begun = ContinuousClock.now
    for _ in 0..<count { go.signal() }
    for _ in 0..<count { done.wait() }
    let end = state.withLock { $0 }
    if let failure = end.failure { throw failure }
    guard let last = end.last else { throw BenchmarkError("no thread worked") }
    return Double(end.operations) / ((last - begun) / .seconds(1))
  }
}
