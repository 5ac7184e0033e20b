public import CPlatform

/// A full memory barrier on every running thread of the process at once. A thread that only stores
/// and loads may then order the two by `compilerOnly()`, which costs nothing, while the rare other
/// side pays for both.
public enum ProcessBarrier {
  /// Whether there is one: not on every system, and not under a sanitizer that cannot see it.
  public static let isAvailable =
    !platform_watches_threads() && platform_process_barrier_available()

  /// When it returns, every other thread has passed a barrier. Only if `isAvailable`.
  public static func run() { platform_process_barrier() }

  /// Keeps the compiler from moving memory accesses across the call.
  @inlinable @inline(__always)
  public static func compilerOnly() { platform_compiler_barrier() }
}

/// What watches this build's memory.
public enum Sanitizer {
  /// Each allocation should be one of the system's, so that AddressSanitizer knows its bounds.
  public static let watchesAddresses = platform_watches_addresses()
}
