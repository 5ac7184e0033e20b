internal import CPlatform
internal import HistoryKit
internal import Platform

/// Runs the threads of a simulated process, one at a time, on one operating-system thread.
///
/// Each simulated thread is a fibre. It runs until it waits, gives way, or has used up its quantum
/// of seam calls; then the strategy says who is next. Time is virtual: a seam call takes a fixed
/// while, and when every thread waits, time jumps to the earliest deadline.
///
/// Invariants:
/// - At most one thread is `running`: `current`; it is nil exactly while the world outside runs.
/// - `runQueue` holds the runnable threads, the one that has waited longest first.
/// - `live` holds the threads that have neither ended nor been abandoned, in order of their starts.
/// - `earliestDeadline` is at or below every deadline of a waiting thread.
/// - `seamCalls < attention` and `now < earliestDeadline` mean that a seam call needs no attention.
/// - Once `isUnwinding`, nothing is drawn and nothing is traced until the process is gone.
/// - No access to this object's storage is in progress while fibres switch: an access begun on one
///   fibre and ended on another would be taken for a conflict of the third.
///
/// Safe: a fibre is switched to only while it is alive and suspended, because `live` and
/// `graveyard` hold its thread, and only `bury`, on another stack, frees it.
@safe
final class Scheduler {
  /// What each seam call costs in virtual time, in nanoseconds.
  let callDuration: UInt64
  /// Seam calls after which a process counts as getting nowhere.
  let callLimit: UInt64
  let stackSize: Int
  let strategy: any SchedulingStrategy
  let trace: TraceRecorder

  /// Virtual time in nanoseconds; from 1, so that 0 can mean "never" elsewhere.
  var now: UInt64 = 1
  var current: SimulatedThread?
  var runQueue: [SimulatedThread] = []
  var live: [SimulatedThread] = []
  var earliestDeadline = UInt64.max

  /// Seam calls made by simulated threads, over all processes.
  var seamCalls: UInt64 = 0
  /// The least of the three below; 0 while unwinding.
  var attention = UInt64.max
  var quantumEnd = UInt64.max
  var killAt = UInt64.max
  var callsEnd = UInt64.max

  /// False while the running thread has the processor without a quantum, because no other could
  /// run when it got it.
  var quantumIsDrawn = false
  /// The call at which the running thread is to be stopped; see `SimulatedThread.stopsAfter`.
  var stopAt = UInt64.max
  /// A thread that has just become runnable outranks the running one, which gives way at its next call.
  var isOutranked = false
  /// While true the running thread is not preempted: what it starts begins to run together.
  var holdsProcessor = false
  /// What to do at `killAt`.
  var armedCrash = CrashKind.processKill

  /// Set once the process is to die; why.
  var isUnwinding = false
  var end: ProcessEnd?

  var threadSwitches: UInt64 = 0
  var preemptions: UInt64 = 0
  var abandonedThreads = 0
  /// What the threads do, while it is on, and the number of its steps when a thread last gave way of its own will.
  var record = AccessRecord()
  var yieldedAt = -1
  /// What the strategy decides, while it is on.
  var schedule = ScheduleRecord()

  /// Looked up only: who holds the lock at an address.
  var lockHolders: [UInt: UInt64] = [:]

  private var nextID: UInt64 = 1
  private var freeSlots = UInt64.max
  /// Ended threads whose fibres are to be freed by whoever runs next.
  private var graveyard: [SimulatedThread] = []
  private var worldFibre: OpaquePointer?

  init(
    strategy: any SchedulingStrategy, trace: TraceRecorder, callDuration: UInt64,
    callLimit: UInt64, stackSize: Int
  ) {
    self.strategy = strategy
    self.trace = trace
    self.callDuration = callDuration
    self.callLimit = callLimit
    self.stackSize = stackSize
  }

  deinit {
    if let worldFibre = unsafe worldFibre { unsafe platform_fibre_destroy(worldFibre) }
  }

  // MARK: Processes

  /// Runs a process whose first thread runs `main`, until all its threads have ended or have been
  /// given up.
  func runProcess(_ name: String, main: @escaping () -> Void) -> ProcessEnd {
    precondition(current == nil, "a simulated process cannot start another")
    end = nil
    lockHolders = [:]
    callsEnd = seamCalls &+ callLimit
    do throws(PlatformError) {
      if unsafe worldFibre == nil { unsafe worldFibre = platform_fibre_adopt_thread() }
      if unsafe worldFibre == nil { throw outOfMemory("start of a process") }
      _ = try start(name, main)
    } catch {
      return .notStarted(error)
    }
    let slot = platform_thread_slot()
    let former = unsafe catchTraps()
    switchTo(takeNext(leaving: nil, because: .waits))
    unsafe catchTraps(for: former)
    platform_thread_slot_set(slot)
    bury()
    disarm()
    return end ?? .finished
  }

  private func disarm() {
    holdsProcessor = false
    isUnwinding = false
    killAt = .max
    callsEnd = .max
    quantumEnd = .max
    attention = .max
    earliestDeadline = .max
  }

  // MARK: Threads

  /// Makes a thread and lets it run from now on.
  func start(_ name: String, _ body: @escaping () -> Void) throws(PlatformError) -> SimulatedThread
  {
    bury()
    if freeSlots == 0 {
      throw PlatformError(
        .resourceExhausted, operation: "spawn", detail: "64 simulated threads are alive")
    }
    let slot = freeSlots.trailingZeroBitCount
    let thread = SimulatedThread(
      id: nextID, name: name, slot: Int32(slot), scheduler: self, body: body)
    // The thread outlives its fibre: `live` or `graveyard` holds it until the fibre is freed.
    let argument = unsafe Unmanaged.passUnretained(thread).toOpaque()
    let fibre = unsafe platform_fibre_create(stackSize, threadEntry, argument)
    if unsafe fibre == nil { throw outOfMemory("spawn") }
    unsafe thread.fibre = fibre
    nextID += 1
    freeSlots &= ~(1 &<< UInt64(slot))
    live.append(thread)
    trace.record("thread start", thread: current?.id ?? 0, thread.id)
    strategy.began(thread)
    makeRunnable(thread)
    return thread
  }

  /// The last act of a thread: chooses who has the processor after it, another thread or, after the
  /// last one, the world. The caller makes the switch, holding nothing that needs releasing.
  fileprivate func finish(_ thread: SimulatedThread) -> FibreSwitch {
    if !isUnwinding { trace.record("thread end", thread: thread.id) }
    thread.state = .ended
    forget(thread)
    freeSlots |= 1 &<< UInt64(thread.slot)
    graveyard.append(thread)
    if !isUnwinding { wakeJoiners(of: thread) }
    return leave()
  }

  /// Gives the running thread up, which does not unwind. Its stack, and what it refers to, is lost;
  /// so is its slot, since it may still stand in tables that its process shares with nobody.
  func abandon(_ thread: SimulatedThread) -> Never {
    thread.state = .abandoned
    abandonedThreads += 1
    forget(thread)
    // Its frames refer to it for ever.
    _ = unsafe Unmanaged.passRetained(thread)
    leave().perform()
    preconditionFailure("an abandoned thread ran on")
  }

  private func leave() -> FibreSwitch {
    quantumIsDrawn = true
    if !live.isEmpty { return prepareSwitch(to: nextThread()) }
    let source = unsafe current!.fibre
    current = nil
    return unsafe FibreSwitch(source: source, target: worldFibre)
  }

  private func forget(_ thread: SimulatedThread) {
    var index = 0
    while index < live.count {
      if live[index] === thread {
        live.remove(at: index)
        return
      }
      index += 1
    }
  }

  private func wakeJoiners(of ended: SimulatedThread) {
    var index = 0
    while index < live.count {
      let thread = live[index]
      if thread.state == .joining(ended.id) { makeRunnable(thread) }
      index += 1
    }
  }

  private func bury() {
    while let thread = graveyard.popLast() {
      if let fibre = unsafe thread.fibre { unsafe platform_fibre_destroy(fibre) }
      unsafe thread.fibre = nil
    }
  }

  func thread(_ id: UInt64) -> SimulatedThread? {
    var index = 0
    while index < live.count {
      if live[index].id == id { return live[index] }
      index += 1
    }
    return nil
  }

  // MARK: Switching

  /// Makes a thread, new or waiting, one that can run.
  func makeRunnable(_ thread: SimulatedThread) {
    thread.state = .runnable
    thread.deadline = .max
    runQueue.append(thread)
    guard let current, !isUnwinding else { return }
    if !quantumIsDrawn { drawQuantum() }
    if current !== thread && current.state == .running && strategy.outranks(thread, current) {
      isOutranked = true
      quantumEnd = seamCalls
      updateAttention()
    }
  }

  /// Resumes `next`, which is not in the queue any more; returns when the caller is resumed.
  func switchTo(_ next: SimulatedThread) {
    if current === next {
      next.state = .running
      suspendStop()
      beginQuantum()
    } else {
      prepareSwitch(to: next).perform()
    }
  }

  /// Makes `next` the current thread in every respect but the stack.
  private func prepareSwitch(to next: SimulatedThread) -> FibreSwitch {
    let from = current
    if !isUnwinding {
      threadSwitches &+= 1
      trace.record("switch", thread: from?.id ?? 0, next.id)
    }
    next.state = .running
    suspendStop()
    current = next
    beginQuantum()
    platform_thread_slot_set(next.slot)
    return unsafe FibreSwitch(
      source: from == nil ? worldFibre : from!.fibre, target: next.fibre)
  }

  private func beginQuantum() {
    quantumIsDrawn = isUnwinding
    quantumEnd = .max
    isOutranked = false
    armStop()
    if !quantumIsDrawn && !runQueue.isEmpty { drawQuantum() }
    updateAttention()
  }

  /// A thread that is to be stopped is so at its turn.
  private func armStop() {
    stopAt = .max
    guard let thread = current, thread.stopsAfter > 0 else { return }
    stopAt = seamCalls &+ thread.stopsAfter
    quantumEnd = stopAt
  }

  /// The running thread makes its other calls before the stop in a later turn.
  private func suspendStop() {
    if stopAt != .max, let current { current.stopsAfter = max(1, stopAt &- seamCalls) }
    stopAt = .max
  }

  private func drawQuantum() {
    quantumIsDrawn = true
    let quantum = strategy.quantum(of: current!, calls: seamCalls)
    if schedule.isOn { schedule.beginTurn(calls: seamCalls) }
    quantumEnd = min(stopAt, quantum == 0 ? .max : seamCalls &+ quantum)
    updateAttention()
  }

  func updateAttention() {
    attention = isUnwinding ? 0 : min(quantumEnd, min(killAt, callsEnd))
  }

  /// Takes the next thread out of the queue, which is not empty.
  func takeNext(
    leaving: SimulatedThread?, because reason: SwitchReason
  ) -> SimulatedThread {
    var index = 0
    if runQueue.count > 1 && !isUnwinding {
      index = strategy.choose(among: runQueue, leaving: leaving, because: reason)
      if schedule.isOn { schedule.choose(index, of: runQueue.count) }
    }
    return runQueue.remove(at: index)
  }

  private func outOfMemory(_ operation: String) -> PlatformError {
    PlatformError(.resourceExhausted, operation: operation, detail: "no memory for a fibre")
  }
}

/// Two fibres: the running one, and the one to resume. Safe as `Scheduler` is.
@safe
private struct FibreSwitch {
  var source: OpaquePointer?
  var target: OpaquePointer?

  /// Returns when the source is resumed.
  @inline(__always)
  func perform() { unsafe platform_fibre_switch(source, target) }
}

/// Where every fibre begins. The last switch is made from here, where no reference is held: this
/// frame is never left, so nothing that it held would be released.
private func threadEntry(_ argument: UnsafeMutableRawPointer?) {
  unsafe runThread(argument).perform()
  fatalError("a simulated thread ran on after its end")
}

@inline(never)
private func runThread(_ argument: UnsafeMutableRawPointer?) -> FibreSwitch {
  // Made by `start` from a thread that its scheduler holds until the fibre is freed.
  let thread = unsafe Unmanaged<SimulatedThread>.fromOpaque(argument!).takeUnretainedValue()
  runBody(of: thread)
  return thread.scheduler.finish(thread)
}

@inline(never)
private func runBody(of thread: SimulatedThread) {
  let body = thread.body
  thread.body = nil
  // A thread that had not begun when its process was killed never begins.
  if thread.scheduler.isUnwinding { return }
  thread.scheduler.noteGoingOn(thread)
  body?()
}
