public import CPlatform

/// What a simulation sees of the places that an engine names. One may be installed on each
/// operating-system thread; every fibre that runs on that thread shares it.
///
/// Nothing is installed in ordinary use: then a fault point or a probe is one load of a
/// process-wide flag and one branch never taken.
open class SeamContext {
  public init() {}

  /// A place where a failure may be injected. Throwing makes the engine's call fail there.
  open func faultPoint(_ name: StaticString) throws(PlatformError) {}

  /// A place whose being reached is counted.
  open func probe(_ name: StaticString) {}

  #if SchedulePoints
    /// An access at which the scheduler may switch threads: it comes after this. The address is a number that
    /// tells words apart, and nothing else.
    open func schedulePoint(_ address: UInt, _ writes: Bool) {}

    /// An access that is no such point: a relaxed one, of a hint or of what one thread alone writes.
    open func relaxedAccess(_ address: UInt, _ writes: Bool) {}
  #endif

  // MARK: Shared memory, see MemorySeam.swift

  /// A block is in use from now on.
  open func allocated(_ address: UInt, _ bytes: Int) {}

  /// A block is free from now on. True: it must not be used again.
  open func freed(_ address: UInt, _ bytes: Int, isOwn: Bool) -> Bool { false }

  /// Memory that blocks lay in goes back to the system.
  open func returned(_ address: UInt, _ bytes: Int) {}

  /// The calling thread reads or writes here.
  open func touched(_ address: UInt) {}

  // MARK: Locks, see WaitSeam.swift

  /// The calling thread has taken a lock.
  open func lockTaken(_ lock: UInt) {}

  /// The calling thread gives a lock back.
  open func lockGiven(_ lock: UInt) {}

  /// The calling thread waits for a lock, until it has taken it.
  open func lockAwaited(_ lock: UInt) {}

  /// Runs `body` with this context installed on the calling thread; the former one is restored.
  public final func run<Result, Failure: Error>(
    _ body: () throws(Failure) -> Result
  ) throws(Failure) -> Result {
    let former = unsafe platform_seam_context()
    // The context outlives the body: `self` is held by this frame.
    unsafe platform_seam_install(Unmanaged.passUnretained(self).toOpaque())
    defer { unsafe platform_seam_restore(former) }
    return try body()
  }
}

/// Names a place where a failure may be injected, as "log.seal". Nothing in a build with the package
/// trait `NoSeams`.
@inlinable @inline(__always)
public func faultPoint(_ name: StaticString) throws(PlatformError) {
  #if !NoSeams
    if platform_seam_armed() { try SeamDispatch.faultPoint(name) }
  #endif
}

/// Names a place that some run must reach, as "tree.leafSplit". Nothing in a build with the package
/// trait `NoSeams`.
@inlinable @inline(__always)
public func probe(_ name: StaticString) {
  #if !NoSeams
    if platform_seam_armed() { SeamDispatch.probe(name) }
  #endif
}

/// Whether a context was ever installed in this process: a simulation may be going on. Never in a build
/// with the package trait `NoSeams`.
@inlinable @inline(__always)
public var seamIsArmed: Bool {
  #if NoSeams
    return false
  #else
    return platform_seam_armed()
  #endif
}

#if NoSeams && SchedulePoints
  #error("a build has schedule points or no seams at all: give one of the traits")
#endif

/// The unlikely side of the branches above, kept out of line so that they stay small.
public enum SeamDispatch {
  static var current: SeamContext? {
    guard let context = unsafe platform_seam_context() else { return nil }
    // Installed by `SeamContext.run`, whose frame keeps the object alive.
    return unsafe Unmanaged<SeamContext>.fromOpaque(context).takeUnretainedValue()
  }

  #if !NoSeams
    @inline(never)
    public static func faultPoint(_ name: StaticString) throws(PlatformError) {
      try current?.faultPoint(name)
    }

    @inline(never)
    public static func probe(_ name: StaticString) { current?.probe(name) }
  #endif

  #if SchedulePoints
    /// Before an access at which a simulated scheduler may switch threads: see `AtomicWord`.
    @inline(never)
    public static func schedulePoint(_ address: UInt, _ writes: Bool) {
      lend { $0.schedulePoint(address, writes) }
    }

    /// At a relaxed access.
    @inline(never)
    public static func relaxedAccess(_ address: UInt, _ writes: Bool) {
      lend { $0.relaxedAccess(address, writes) }
    }

    /// Lends the context without taking a reference: these calls are made at every access.
    @inline(__always)
    static func lend(_ body: (SeamContext) -> Void) {
      guard let context = unsafe platform_seam_context() else { return }
      // Installed by `SeamContext.run`, whose frame keeps the object alive: it outlives the call.
      unsafe Unmanaged<SeamContext>.fromOpaque(context)._withUnsafeGuaranteedRef(body)
    }
  #endif
}
