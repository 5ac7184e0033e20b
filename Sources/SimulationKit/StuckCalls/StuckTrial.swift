public import EngineKit
internal import HistoryKit
internal import Platform

/// A call of the file system does not come back, and others want to work meanwhile.
///
/// One thread flushes, makes a checkpoint or reads a page that is on disk, and the n-th call that it makes is stuck for half a
/// minute. Another one reads what is in memory, forwards and backwards, writes, and takes ids. Each of its calls must
/// end before the stuck one does: by then it has met nothing to wait for.
///
/// Sound: everything that the second thread wants was written since the opening, with memory for all of it; so no page has
/// to be read for it. What is read by the stuck thread lies in a tree that it alone wants.
///
/// Unchecked Sendable: the simulated threads take turns on one system thread.
public final class StuckTrial: @unchecked Sendable {
  /// What is stuck.
  public enum Stuck: String, CaseIterable, Sendable {
    case flush
    case checkpoint
    /// Of a page that no one has read since the opening.
    case read
  }

  public struct Result: Sendable {
    /// Calls that the first thread could have been stuck in.
    public var opportunities: Int
    /// Calls of the second thread that ended in time.
    public var calls: Int
    public var violation: String?
  }

  private let factory: any EngineFactory
  private let stuck: Stuck
  private let simulation: Simulation
  private let disk = SimulatedDisk()
  private let gate: StuckGate
  private var calls = 0
  private var violation: String?
  /// Of the thread whose call was stuck.
  private var failure: EngineError?

  private init(_ factory: any EngineFactory, _ stuck: Stuck, number: Int) {
    self.factory = factory
    self.stuck = stuck
    simulation = Simulation(tape: ChoiceTape(driver: ReplayDriver([])))
    gate = StuckGate(simulation, number: number)
  }

  /// - Parameter number: of the call that is stuck, from 1; 0: none.
  public static func run(
    _ factory: any EngineFactory, _ stuck: Stuck, number: Int
  ) -> Result {
    StuckTrial(factory, stuck, number: number).run()
  }

  private func run() -> Result {
    simulation.run {
      var made = TapeResult()
      made.makeDirectory("/database", on: disk, simulation)
      let platform = simulation.platform(files: disk.mount(gate))
      let end = simulation.runProcess("engine") { self.process(platform) }
      if end != .finished, violation == nil { violation = end.description }
    }
    disk.processKill()
    return Result(opportunities: gate.calls, calls: calls, violation: violation)
  }

  private func process(_ platform: PlatformServices) {
    let settings = EngineSettings(
      automaticBackgroundWork: false, segmentSize: 64 << 10, pageSize: 1024, flushInterval: nil,
      checkpointInterval: 64 << 20, memoryBudget: 16 << 20)
    do throws(EngineError) {
      if stuck == .read { try leavePages(platform, settings) }
      let engine = try factory.open("/database", on: platform, settings: settings)
      for number in 0..<24 { _ = try engine.insert(Self.value, for: [UInt8(number)], in: .default) }
      _ = try engine.nextID()
      try engine.flush()
      for number in 24..<32 {
        _ = try engine.insert(Self.value, for: [UInt8(number)], in: .default)
      }
      try work(engine, platform)
      try engine.close()
    } catch { violation = "without a fault: \(error)" }
  }

  private static let value = [UInt8](repeating: 7, count: 20)
  private static let onDisk: TreeName = "on-disk"

  /// A tree whose pages are on disk, and will not be in memory after the next opening.
  private func leavePages(
    _ platform: PlatformServices, _ settings: EngineSettings
  ) throws(EngineError) {
    let engine = try factory.open("/database", on: platform, settings: settings)
    for number in 0..<200 {
      _ = try engine.insert(Self.value, for: [UInt8(number)], in: Self.onDisk)
    }
    try engine.checkpoint()
    try engine.close()
  }

  private func work(
    _ engine: any KeyValueEngine, _ platform: PlatformServices
  ) throws(EngineError) {
    do throws(PlatformError) {
      let thread = try platform.threads.spawn("stuck") {
        self.gate.watch(platform.threads.current)
        do throws(EngineError) {
          switch self.stuck {
          case .flush: try engine.flush()
          case .checkpoint: try engine.checkpoint()
          case .read:
            if try engine.get([100], in: Self.onDisk) != Self.value {
              self.violation = "the stuck get answered wrongly"
            }
          }
        } catch { self.failure = error }
        self.gate.watch(nil)
      }
      var rounds = 0
      // Until it is stuck, or through.
      while !gate.isStuck && !gate.isOver && rounds < 10_000 {
        rounds += 1
        try platform.clock.sleep(nanoseconds: 1000)
      }
      if gate.isStuck { callAll(engine) }
      try platform.threads.join(thread)
    } catch { throw EngineError(.killed, error.description) }
    if let failure { throw failure }
  }

  /// Each kind of call that is to go on.
  private func callAll(_ engine: any KeyValueEngine) {
    let key: Bytes = [3]
    let operations: [Operation] = [
      .get(key, in: .default), .insert(Self.value, for: key, in: .default),
      .insert([1], for: [3, 3], in: .default), .remove([4], in: .default),
      .compareExchange([5], expected: Self.value, desired: [2], in: .default),
      .scan(.all, .forward, limit: .max, in: .default),
      .scan(.all, .backward, limit: .max, in: .default),
      .batch([BatchWrite([6], [1]), BatchWrite([7], nil)]), .nextID, .count(in: .default),
      .get([4], in: .default),
    ]
    for operation in operations {
      let outcome = engine.perform(operation)
      if !gate.isStuck {
        violation =
          "\(Described.operation(operation)) waited for a \(stuck.rawValue) that was stuck"
        return
      }
      if case .failure(let code, let message, _) = outcome {
        violation = "\(Described.operation(operation)) failed: \(code.rawValue): \(message)"
        return
      }
      calls += 1
    }
  }
}

/// A simulation's gate at which the n-th call of one thread is stuck.
private final class StuckGate: SeamGate {
  private let simulation: Simulation
  private let number: Int
  private(set) var calls = 0
  private(set) var isStuck = false
  private(set) var isOver = false
  private var watched: ThreadID?

  init(_ simulation: Simulation, number: Int) {
    self.simulation = simulation
    self.number = number
  }

  /// Counts the calls of this thread; nil: it is through.
  func watch(_ thread: ThreadID?) {
    isOver = thread == nil
    watched = thread
  }

  func enter(_ call: StaticString) throws(PlatformError) {
    try simulation.enter(call)
    guard let watched, simulation.threads.current == watched else { return }
    calls += 1
    if calls != number { return }
    isStuck = true
    simulation.count(.stuckCall)
    try simulation.delay(nanoseconds: SimulatedFileSystem.stuckFor)
    isStuck = false
  }

  func strikes(_ fault: FaultClass) -> Bool { false }
  func draw(_ label: StaticString, below bound: UInt64) -> UInt64 { 0 }
  func count(_ fault: FaultClass) { simulation.count(fault) }
  func delay(nanoseconds: UInt64) throws(PlatformError) {
    try simulation.delay(nanoseconds: nanoseconds)
  }
  func record(_ event: StaticString, _ a: UInt64, _ b: UInt64, _ c: UInt64) {
    simulation.record(event, a, b, c)
  }
}
