public import Synchronization

/// One 64-bit word that several threads change. The engine's only kind of shared mutable memory
/// besides what a `Lock` guards. A thin wrapper: in an ordinary build each call is the bare
/// instruction; with the trait `SchedulePoints` each is a point where a simulation may switch threads.
///
/// Orderings are part of the names: loads acquire, stores release, read-modify-writes do both,
/// unless the name says otherwise.
@frozen
public struct AtomicWord: ~Copyable, Sendable {
  @usableFromInline let storage: Atomic<UInt64>

  @inlinable @inline(__always)
  public init(_ value: UInt64) { storage = Atomic(value) }

  /// Before each access but the relaxed ones.
  @_alwaysEmitIntoClient @inline(__always)
  func point(writes: Bool) {
    #if SchedulePoints
      // A number from here on.
      let address = unsafe withUnsafePointer(to: storage) { UInt(bitPattern: $0) }
      SeamDispatch.schedulePoint(address, writes)
    #endif
  }

  /// At each relaxed access: no switch there, but it may matter which thread came first.
  @_alwaysEmitIntoClient @inline(__always)
  func relaxedAccess(writes: Bool) {
    #if SchedulePoints
      // A number from here on.
      let address = unsafe withUnsafePointer(to: storage) { UInt(bitPattern: $0) }
      SeamDispatch.relaxedAccess(address, writes)
    #endif
  }

  @inlinable @inline(__always)
  public func load() -> UInt64 {
    point(writes: false)
    return storage.load(ordering: .acquiring)
  }

  /// For values that only one thread writes, counters, and hints.
  @inlinable @inline(__always)
  public func loadRelaxed() -> UInt64 {
    relaxedAccess(writes: false)
    return storage.load(ordering: .relaxed)
  }

  @inlinable @inline(__always)
  public func loadSequential() -> UInt64 {
    point(writes: false)
    return storage.load(ordering: .sequentiallyConsistent)
  }

  @inlinable @inline(__always)
  public func store(_ value: UInt64) {
    point(writes: true)
    storage.store(value, ordering: .releasing)
  }

  @inlinable @inline(__always)
  public func storeRelaxed(_ value: UInt64) {
    relaxedAccess(writes: true)
    storage.store(value, ordering: .relaxed)
  }

  @inlinable @inline(__always)
  public func storeSequential(_ value: UInt64) {
    point(writes: true)
    storage.store(value, ordering: .sequentiallyConsistent)
  }

  /// True when the word held `expected` and now holds `desired`.
  @inlinable @inline(__always)
  public func compareExchange(expected: UInt64, desired: UInt64) -> Bool {
    point(writes: true)
    return storage.compareExchange(
      expected: expected, desired: desired, ordering: .sequentiallyConsistent
    ).exchanged
  }

  @inlinable @inline(__always)
  public func exchange(_ value: UInt64) -> UInt64 {
    point(writes: true)
    return storage.exchange(value, ordering: .sequentiallyConsistent)
  }

  /// Adds and returns the value *before*.
  @inlinable @inline(__always)
  public func fetchAdd(_ amount: UInt64) -> UInt64 {
    point(writes: true)
    return storage.wrappingAdd(amount, ordering: .sequentiallyConsistent).oldValue
  }

  /// Subtracts and returns the value *before*.
  @inlinable @inline(__always)
  public func fetchSubtract(_ amount: UInt64) -> UInt64 {
    point(writes: true)
    return storage.wrappingSubtract(amount, ordering: .sequentiallyConsistent).oldValue
  }

  /// Sets bits and returns the value *before*.
  @inlinable @inline(__always)
  public func fetchOr(_ bits: UInt64) -> UInt64 {
    point(writes: true)
    return storage.bitwiseOr(bits, ordering: .sequentiallyConsistent).oldValue
  }

  /// Clears bits outside `mask` and returns the value *before*.
  @inlinable @inline(__always)
  public func fetchAnd(_ mask: UInt64) -> UInt64 {
    point(writes: true)
    return storage.bitwiseAnd(mask, ordering: .sequentiallyConsistent).oldValue
  }
}
