/// Who waits for whom, and since where: what a report of a deadlock or livelock says.
extension Scheduler {
  /// What every living thread is at.
  var situations: [String] {
    var lines: [String] = []
    for thread in live { lines.append(situation(of: thread)) }
    return lines
  }

  /// As "writer (t3) waits for a lock that flusher (t2) holds, since call 812, after log.sync".
  private func situation(of thread: SimulatedThread) -> String {
    var text = "\(name(of: thread.id)) "
    var since: UInt64?
    switch thread.state {
    case .parked where thread.awaitedLock != 0:
      text += "waits for a lock that \(holder(of: thread.awaitedLock)) holds"
      since = thread.waitsSince
    case .parked:
      text += "is parked"
      since = thread.waitsSince
    case .sleeping:
      text += "sleeps"
      since = thread.waitsSince
    case .joining(let target):
      text += "waits for \(name(of: target)) to end"
      since = thread.waitsSince
    case .runnable, .running:
      text += thread.state == .running ? "is running" : "could run"
      if thread.backsOffSince != 0 {
        text += ", and gives way again and again"
        since = thread.backsOffSince
      }
    case .stopped: text += "was stopped"
    case .ended: text += "has ended"
    case .abandoned: text += "was abandoned"
    }
    if let since { text += ", since call \(since)" }
    return text + ", after \(thread.place)"
  }

  private func name(of id: UInt64) -> String {
    guard let thread = thread(id) else { return "t\(id)" }
    return "\(thread.name) (t\(id))"
  }

  private func holder(of lock: UInt) -> String {
    lockHolders[lock].map { name(of: $0) } ?? "nobody"
  }

  // MARK: Locks, as Platform tells of them

  func lockTaken(_ lock: UInt) {
    guard let current, !isUnwinding else { return }
    current.awaitedLock = 0
    lockHolders[lock] = current.id
  }

  func lockGiven(_ lock: UInt) { lockHolders[lock] = nil }

  func lockAwaited(_ lock: UInt) { current?.awaitedLock = lock }
}
