internal import EngineKit
public import Platform

/// One simulated world: a tape, virtual time, threads, faults, and one process at a time.
///
/// A campaign makes a simulation, installs it with `run`, and in there runs processes one after the
/// other: a process opens the engine and works, is killed or ends; the disk is told if the power
/// went; the next process recovers. Between processes the *world outside* runs, on the caller's own
/// stack: seam calls then take no time, cannot fail and switch nothing, but `draw`, `count` and
/// `record` work.
///
/// Invariants:
/// - Same tape, same options, same build or not: the same trace, event for event.
/// - After a kill every seam call of the process throws before it has drawn, traced or changed
///   anything.
///
/// Used on one operating-system thread.
public final class Simulation: SeamContext, @unchecked Sendable {
  // Unchecked: its simulated threads, which share it, share one operating-system thread.

  public let tape: ChoiceTape
  public let trace: TraceRecorder
  public let options: SimulationOptions
  /// Random bits for the engine.
  public let entropy: any Entropy

  let scheduler: Scheduler
  let diskLane: ChoiceLane
  var faults: FaultState
  var processes = 0
  var probeCounts = NameCounts()
  var memory = SharedMemory()

  /// No class and no fault point strikes while true. Countdowns stand still.
  public var faultsAreSuspended = false

  /// Freed memory is not used again: whoever touches it is caught, but no address means two things.
  public var keepsFreedMemory: Bool {
    get { memory.keepsFreed }
    set { memory.keepsFreed = newValue }
  }

  /// `strategy` is random switching where nil.
  public init(
    tape: ChoiceTape, plan: FaultPlan = FaultPlan(), strategy: (any SchedulingStrategy)? = nil,
    options: SimulationOptions = SimulationOptions()
  ) {
    self.tape = tape
    self.options = options
    let trace = TraceRecorder(keepsAll: options.keepsAllEvents, lastEvents: options.lastEvents)
    self.trace = trace
    diskLane = tape.lane("disk")
    entropy = SimulatedEntropy(tape: tape)
    faults = FaultState(tape: tape, plan: plan)
    scheduler = Scheduler(
      strategy: strategy ?? RandomStrategy(tape: tape), trace: trace,
      callDuration: options.callDuration, callLimit: options.callLimit,
      stackSize: options.stackSize)
    super.init()
  }

  deinit { freeKept() }

  // MARK: What engines get

  public var clock: any Clock { SimulatedClock(scheduler: scheduler) }
  public var threads: any Threads { SimulatedThreads(scheduler: scheduler) }

  /// The world as an engine sees it, over these files. The simulation does not keep them: they
  /// keep it, as their gate.
  public func platform(files: any FileSystem) -> PlatformServices {
    PlatformServices(files: files, clock: clock, threads: threads, entropy: entropy)
  }

  // MARK: Faults

  /// Which faults are on. To change it is allowed between processes.
  public var plan: FaultPlan {
    get { faults.plan }
    set { faults.change(to: newValue) }
  }

  /// True while a process runs that has not been killed.
  public var isAlive: Bool { scheduler.current != nil && !scheduler.isUnwinding }

  // MARK: The places that an engine names

  /// A seam call, and then whatever the plan and the tape make of it.
  public override func faultPoint(_ name: StaticString) throws(PlatformError) {
    if scheduler.current == nil { return }
    try scheduler.step(name)
    scheduler.current?.arrive(at: name)
    switch faults.hit(name, suspended: faultsAreSuspended) {
    case .nothing: return
    case .error:
      record("fault point error", 0, 0, 0)
      throw PlatformError(.faultPoint, operation: name.description)
    case .delay: try scheduler.sleep(nanoseconds: faults.delay())
    case .kill: throw scheduler.kill(.killedByFaultPoint(name.description), name)
    }
  }

  public override func probe(_ name: StaticString) {
    if isAlive {
      scheduler.current?.arrive(at: name)
      _ = probeCounts.add(name)
    }
  }

  #if SchedulePoints
    public override func schedulePoint(_ address: UInt, _ writes: Bool) {
      scheduler.schedulePoint()
      if scheduler.record.isOn, let thread = scheduler.current {
        scheduler.record.note(
          thread.id, address, writes ? .writes : [], hadChoice: scheduler.hasChoice)
      }
    }

    public override func relaxedAccess(_ address: UInt, _ writes: Bool) {
      if scheduler.record.isOn { scheduler.record.touch(address, writes: writes) }
    }
  #endif

  // MARK: Shared memory, see Simulation+Memory.swift

  public override func allocated(_ address: UInt, _ bytes: Int) {
    memory.allocate(block(address, bytes))
  }

  public override func freed(_ address: UInt, _ bytes: Int, isOwn: Bool) -> Bool {
    if scheduler.record.isOn {
      scheduler.record.touch(address, bytes: UInt(max(1, bytes)), writes: true)
    }
    return memory.free(block(address, bytes), isOwn: isOwn)
  }

  public override func returned(_ address: UInt, _ bytes: Int) { memory.forget(address, bytes) }

  public override func touched(_ address: UInt) {
    if scheduler.record.isOn { scheduler.record.touch(address, writes: false) }
    touchedMemory(address)
  }

  // MARK: Locks, see WaitSeam.swift

  public override func lockTaken(_ lock: UInt) { scheduler.lockTaken(lock) }

  public override func lockGiven(_ lock: UInt) { scheduler.lockGiven(lock) }

  public override func lockAwaited(_ lock: UInt) { scheduler.lockAwaited(lock) }

  // MARK: Results

  public var now: Instant { Instant(nanoseconds: scheduler.now) }

  /// Threads that did not unwind when their process was killed: 0 for a good engine.
  var abandonedThreads: Int { scheduler.abandonedThreads }
  var threadSwitches: UInt64 { scheduler.threadSwitches }

  public var counters: SimulationCounters {
    var counters = SimulationCounters()
    counters.processes = processes
    counters.seamCalls = scheduler.seamCalls
    counters.threadSwitches = scheduler.threadSwitches
    counters.preemptions = scheduler.preemptions
    counters.abandonedThreads = scheduler.abandonedThreads
    counters.probes = probeCounts.sorted
    counters.faultPointHits = faults.pointHits.sorted
    counters.faultPointsFired = faults.pointsFired.sorted
    for fault in FaultClass.allCases { counters[fault] = faults.counts[fault.ordinal] }
    return counters
  }
}
