internal import Platform

/// A shared word inside a raw allocation.
///
/// Safe as long as its allocation lives, which whoever holds a `WordRef` answers for: a pinned
/// operation for what epochs reclaim, the owning object for the rest.
@safe struct WordRef: Sendable {
  // The address never changes; what lies there is atomic.
  nonisolated(unsafe) private let pointer: UnsafeMutablePointer<AtomicWord>

  /// The word at `offset` of an allocation that `initialize` has been called for.
  @unsafe @inline(__always)
  init(_ base: UnsafeMutableRawPointer, _ offset: Int) {
    unsafe pointer = (base + offset).assumingMemoryBound(to: AtomicWord.self)
  }

  /// Makes the eight bytes at `offset` a word. Before the allocation is published.
  @unsafe @inline(__always)
  static func initialize(_ base: UnsafeMutableRawPointer, _ offset: Int, _ value: UInt64) {
    // An AtomicWord is one trivially destroyed UInt64, so storing the integer is initialising it.
    unsafe (base + offset).storeBytes(of: value, as: UInt64.self)
  }

  @inline(__always) func load() -> UInt64 { unsafe pointer.pointee.load() }
  @inline(__always) func loadRelaxed() -> UInt64 { unsafe pointer.pointee.loadRelaxed() }
  @inline(__always) func loadSequential() -> UInt64 { unsafe pointer.pointee.loadSequential() }
  @inline(__always) func store(_ value: UInt64) { unsafe pointer.pointee.store(value) }
  @inline(__always)
  func storeSequential(_ value: UInt64) { unsafe pointer.pointee.storeSequential(value) }
  @inline(__always) func storeRelaxed(_ value: UInt64) {
    unsafe pointer.pointee.storeRelaxed(value)
  }

  @inline(__always)
  func compareExchange(expected: UInt64, desired: UInt64) -> Bool {
    unsafe pointer.pointee.compareExchange(expected: expected, desired: desired)
  }

  @inline(__always) func exchange(_ value: UInt64) -> UInt64 {
    unsafe pointer.pointee.exchange(value)
  }
  @inline(__always) func fetchAdd(_ value: UInt64) -> UInt64 {
    unsafe pointer.pointee.fetchAdd(value)
  }
  @inline(__always) func fetchSubtract(_ value: UInt64) -> UInt64 {
    unsafe pointer.pointee.fetchSubtract(value)
  }
  @inline(__always) func fetchOr(_ bits: UInt64) -> UInt64 { unsafe pointer.pointee.fetchOr(bits) }
  @inline(__always) func fetchAnd(_ mask: UInt64) -> UInt64 {
    unsafe pointer.pointee.fetchAnd(mask)
  }
}
