internal import Platform

/// Seam calls, waiting and waking, as simulated threads do them.
extension Scheduler {
  /// The error that every call of a dead process throws.
  static func killed(_ call: StaticString) -> PlatformError {
    PlatformError(.killed, operation: call.description)
  }

  // MARK: Seam calls

  /// A seam call of the running thread: takes its time, and may switch threads or end the process.
  /// Nothing for the world outside.
  @inline(__always)
  func step(_ call: StaticString) throws(PlatformError) {
    if current == nil { return }
    seamCalls &+= 1
    now &+= callDuration
    if seamCalls >= attention || now >= earliestDeadline { try stepWithAttention(call) }
    if record.isOn, let current { record.note(current.id, call: call, hadChoice: hasChoice) }
  }

  @inline(never)
  private func stepWithAttention(_ call: StaticString) throws(PlatformError) {
    if isUnwinding { throw unwindFurther(call) }
    if now >= earliestDeadline { wakeDue() }
    if seamCalls >= killAt { throw kill(.killed(armedCrash, at: call.description), call) }
    if seamCalls >= callsEnd { throw kill(.livelock(situations), call) }
    if seamCalls >= quantumEnd {
      if stopsHere { stopHere() } else { preempt() }
      if isUnwinding { throw Scheduler.killed(call) }
    }
    updateAttention()
  }

  /// Whether the running thread is to be stopped at this call.
  private var stopsHere: Bool { seamCalls >= stopAt }

  /// The running thread never runs again, but to unwind.
  private func stopHere() {
    let thread = current!
    stopAt = .max
    thread.stopsAfter = 0
    thread.state = .stopped
    quantumIsDrawn = true
    switchTo(nextThread())
  }

  /// Gives the processor away if another thread can run.
  private func preempt() {
    if holdsProcessor { return }
    if schedule.isOn { schedule.endTurn(calls: seamCalls) }
    if runQueue.isEmpty {
      // Nobody there any more; a new quantum is drawn when somebody is.
      quantumIsDrawn = false
      quantumEnd = stopAt
      return
    }
    if !isOutranked { preemptions &+= 1 }
    giveWay(because: isOutranked ? .outranked : .quantum)
  }

  /// Switches to another runnable thread; the running one stays runnable.
  func giveWay(because reason: SwitchReason) {
    let thread = current!
    quantumIsDrawn = true
    let next = takeNext(leaving: thread, because: reason)
    thread.state = .runnable
    makeRunnable(thread)
    switchTo(next)
  }

  /// A point where threads may be switched, and nothing else happens.
  func schedulePoint() {
    if current == nil || isUnwinding { return }
    seamCalls &+= 1
    if seamCalls >= quantumEnd {
      if stopsHere { stopHere() } else { preempt() }
      updateAttention()
    }
  }

  // MARK: Waiting

  /// Waits, in `state`, until woken or until `deadline`.
  private func wait(_ state: SimulatedThread.State, until deadline: UInt64, _ call: StaticString)
    throws(PlatformError)
  {
    let thread = current!
    thread.state = state
    thread.deadline = deadline
    if deadline < earliestDeadline { earliestDeadline = deadline }
    thread.waitsSince = seamCalls
    quantumIsDrawn = true
    switchTo(nextThread())
    if isUnwinding { throw Scheduler.killed(call) }
    noteGoingOn(thread)
  }

  /// The thread to run next. Where none can, time jumps to the earliest deadline; where there is
  /// none, the process is stuck, and dies of it.
  func nextThread() -> SimulatedThread {
    while runQueue.isEmpty {
      recomputeEarliestDeadline()
      if earliestDeadline == .max {
        beginUnwinding(.deadlock(situations), at: "deadlock")
      } else {
        now = max(now, earliestDeadline)
        trace.record("clock", thread: 0, now)
        wakeDue()
      }
    }
    return takeNext(leaving: nil, because: .waits)
  }

  /// Wakes the threads whose deadlines have come, in order of their starts.
  func wakeDue() {
    var index = 0
    while index < live.count {
      let thread = live[index]
      if thread.deadline <= now && thread.isWaiting { makeRunnable(thread) }
      index += 1
    }
    recomputeEarliestDeadline()
  }

  private func recomputeEarliestDeadline() {
    var earliest = UInt64.max
    var index = 0
    while index < live.count {
      let deadline = live[index].deadline
      if deadline < earliest { earliest = deadline }
      index += 1
    }
    earliestDeadline = earliest
  }

  func sleep(nanoseconds: UInt64) throws(PlatformError) {
    try step("sleep")
    if current == nil {
      now &+= nanoseconds
      return
    }
    let (deadline, overflow) = now.addingReportingOverflow(nanoseconds)
    try wait(.sleeping, until: overflow ? .max - 1 : deadline, "sleep")
  }

  func park(until deadline: UInt64) throws(PlatformError) {
    precondition(current != nil, "only a simulated thread can park")
    try step("park")
    let thread = current!
    if !thread.hasPermit && deadline > now { try wait(.parked, until: deadline, "park") }
    thread.hasPermit = false
  }

  func unpark(_ id: UInt64) {
    if isUnwinding { return }
    guard let thread = thread(id) else { return }
    if record.isOn { record.mark(.everything) }
    thread.hasPermit = true
    if thread.state == .parked { makeRunnable(thread) }
  }

  func join(_ id: UInt64) throws(PlatformError) {
    precondition(current != nil, "only a simulated thread can join another")
    try step("join")
    while thread(id) != nil { try wait(.joining(id), until: .max, "join") }
  }

  /// Lets others run. Where nobody can, or they all do the same, the waiting itself takes time, the
  /// longer the more often: they may be waiting for one who sleeps.
  func backOff(attempt: Int) throws(PlatformError) {
    try step("backOff")
    guard let thread = current else { return }
    if runQueue.allSatisfy(\.isBackingOff) {
      now &+= 1000 &<< UInt64(max(0, min(attempt, 10)))
      if now >= earliestDeadline { wakeDue() }
    }
    if runQueue.isEmpty { return }
    if thread.backsOffSince == 0 { thread.backsOffSince = seamCalls }
    thread.isBackingOff = true
    yieldedAt = record.accesses.count
    giveWay(because: .yields)
    thread.isBackingOff = false
    if isUnwinding { throw Scheduler.killed("backOff") }
    noteGoingOn(thread)
  }

  /// What a thread does after it has waited, until its next point, is a step of its own.
  func noteGoingOn(_ thread: SimulatedThread) {
    if record.isOn { record.note(thread.id, 0, [], hadChoice: hasChoice) }
  }

  /// Whether another thread could run as well. One that has just given way of its own will cannot: it is to
  /// run on only after another has done something.
  var hasChoice: Bool { !runQueue.isEmpty && record.accesses.count != yieldedAt }

  // MARK: Dying

  /// Ends the process of the running thread; answers the error to throw.
  func kill(_ end: ProcessEnd, _ call: StaticString) -> PlatformError {
    beginUnwinding(end, at: call)
    return Scheduler.killed(call)
  }

  /// From here on every call of the process throws, so that its threads unwind. All that wait are
  /// woken for it; they run in turns.
  func beginUnwinding(_ end: ProcessEnd, at call: StaticString) {
    trace.record("process dies", thread: current?.id ?? 0, seamCalls, now)
    trace.record(call, thread: current?.id ?? 0)
    self.end = end
    isUnwinding = true
    quantumIsDrawn = true
    updateAttention()
    var index = 0
    while index < live.count {
      if live[index].isWaiting { makeRunnable(live[index]) }
      index += 1
    }
  }

  /// A call of a dead process: the next thread's turn. A thread that has called too often since
  /// the kill will never end by itself.
  private func unwindFurther(_ call: StaticString) -> PlatformError {
    let thread = current!
    thread.callsSinceKill += 1
    if thread.callsSinceKill > Scheduler.unwindingLimit { abandon(thread) }
    if !runQueue.isEmpty { giveWay(because: .quantum) }
    return Scheduler.killed(call)
  }

  /// Calls that a thread may make after its process was killed. Unwinding takes a few; a loop that
  /// ignores the error takes any number.
  static let unwindingLimit = 10_000
}
