internal import CPlatform

#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#elseif canImport(Darwin)
  internal import Darwin
#endif

/// The operating system's threads. All values of this type are one world: names, permits and joins
/// agree between them, and threads that were started elsewhere take part too.
///
/// Invariant: `running` holds one entry for each thread that `spawn` has started and that has not
/// finished its body; whoever waits for its end is in the entry.
public struct RealThreads: Threads {
  public init() {}

  public func spawn(
    _ name: String, _ body: @escaping @Sendable () -> Void
  ) throws(PlatformError) -> ThreadID {
    let id = platform_thread_name_reserve()
    guard id != 0 else {
      throw PlatformError(.resourceExhausted, operation: "spawn", detail: "no memory for a name")
    }
    let start = Start(id: id, name: name, body: body)
    Self.running.withLock { $0[id] = [] }
    if let error = start.launch() {
      Self.running.withLock { $0[id] = nil }
      platform_thread_name_release(id)
      throw error
    }
    return ThreadID(rawValue: id)
  }

  public func join(_ thread: ThreadID) throws(PlatformError) {
    let caller = platform_thread_name()
    let mustWait = Self.running.withLock { threads in
      // A thread that was not started here, or has ended: nothing to wait for.
      guard threads[thread.rawValue] != nil else { return false }
      threads[thread.rawValue]?.append(caller)
      return true
    }
    guard mustWait else { return }
    while Self.running.withLock({ $0[thread.rawValue] != nil }) {
      platform_park(false, 0)
    }
  }

  public var current: ThreadID { ThreadID(rawValue: platform_thread_name()) }

  public func park(until deadline: Instant?) throws(PlatformError) {
    platform_park(deadline != nil, deadline?.nanoseconds ?? 0)
  }

  public func unpark(_ thread: ThreadID) { platform_unpark(thread.rawValue) }

  /// Spins for up to half a microsecond, then gives up the processor, then sleeps up to a
  /// millisecond: a holder that was preempted must get to run.
  public func backOff(attempt: Int) throws(PlatformError) {
    if attempt < 6 {
      var turns = 1 << max(attempt, 0)
      while turns > 0 {
        platform_spin_hint()
        turns -= 1
      }
    } else if attempt < 20 {
      sched_yield()
    } else {
      RealClock.pause(nanoseconds: min(1_000_000, 10_000 << UInt64(min(attempt - 20, 7))))
    }
  }

  fileprivate static let running = RunningThreads()
}

/// Name -> those who wait for the end. Looked up only, never listed.
///
/// Guarded by the house's own lock: ThreadSanitizer sees its words, and not the standard library's `Mutex`.
private final class RunningThreads: @unchecked Sendable {
  // Unchecked: `waiting` is touched with `lock` held only.
  private let lock = Lock(threads: RealThreads())
  private var waiting: [UInt64: [UInt64]] = [:]

  func withLock<Result>(_ body: (inout [UInt64: [UInt64]]) -> Result) -> Result {
    do { try lock.lock() } catch {
      preconditionFailure("a wait for a lock fails only where a simulated process is killed")
    }
    defer { lock.unlock() }
    return body(&waiting)
  }
}

/// What a new thread is told.
private final class Start: Sendable {
  let id: UInt64
  let name: String
  let body: @Sendable () -> Void

  init(id: UInt64, name: String, body: @escaping @Sendable () -> Void) {
    self.id = id
    self.name = name
    self.body = body
  }

  /// Starts the thread, or says why it cannot be.
  func launch() -> PlatformError? {
    let argument = unsafe Unmanaged.passRetained(self)
    #if canImport(Darwin)
      var thread: pthread_t?
      let result = unsafe pthread_create(
        &thread, nil, { unsafe Start.enter($0) }, argument.toOpaque())
    #else
      var thread = pthread_t()
      let result = unsafe pthread_create(
        &thread, nil, { unsafe Start.enter($0!) }, argument.toOpaque())
    #endif
    guard result == 0 else {
      unsafe argument.release()
      return SystemError.make(result, "pthread_create", name)
    }
    // Ends are told through `running`, so the system need not keep the thread for a join.
    #if canImport(Darwin)
      if let thread = unsafe thread { _ = unsafe pthread_detach(thread) }
    #else
      _ = pthread_detach(thread)
    #endif
    return nil
  }

  private static func enter(_ argument: UnsafeMutableRawPointer) -> UnsafeMutableRawPointer? {
    // The reference that `launch` passed on; released before the end is told, so that whoever
    // joins finds everything that the body held already gone.
    unsafe Unmanaged<Start>.fromOpaque(argument).takeRetainedValue().run()
    return nil
  }

  private consuming func run() {
    platform_thread_name_adopt(id)
    setSystemName()
    body()
    let id = id
    _ = consume self
    // Given back before the end is told, so that whoever joins may count on it.
    platform_thread_slot_give_back()
    let waiting = RealThreads.running.withLock { $0.removeValue(forKey: id) }
    platform_thread_name_give_back()
    for waiter in waiting ?? [] { platform_unpark(waiter) }
  }

  private func setSystemName() {
    // Linux takes 15 bytes; a name is for people, so cutting it is harmless.
    let short = String(decoding: name.utf8.prefix(15), as: UTF8.self)
    unsafe platform_set_thread_name(short)
  }
}
