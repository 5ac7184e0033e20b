import Platform

/// Holds the first final failure, for any thread to see without waiting.
///
/// Safe to share: the pointer in `word` is published once, by a compare-exchange, after the box was
/// built, and given back when the cell goes; the box is immutable.
final class FailureCell: Sendable {
  private final class Box: Sendable {
    let error: LugeError
    init(_ error: LugeError) { self.error = error }
  }

  private let word = AtomicWord(0)

  deinit {
    if let box = unsafe Self.reference(word.loadRelaxed()) { unsafe box.release() }
  }

  /// One load; true once `set` was called.
  @inline(__always)
  var isSet: Bool { word.loadRelaxed() != 0 }

  var error: LugeError? {
    guard let box = unsafe Self.reference(word.load()) else { return nil }
    return unsafe box._withUnsafeGuaranteedRef { $0.error }
  }

  /// Keeps the first error; later ones are dropped.
  func set(_ error: LugeError) {
    let box = unsafe Unmanaged.passRetained(Box(error))
    let bits = UInt64(UInt(bitPattern: unsafe box.toOpaque()))
    if !word.compareExchange(expected: 0, desired: bits) { unsafe box.release() }
  }

  private static func reference(_ bits: UInt64) -> Unmanaged<Box>? {
    guard let pointer = unsafe UnsafeRawPointer(bitPattern: UInt(bits)) else { return nil }
    return unsafe Unmanaged<Box>.fromOpaque(pointer)
  }
}
