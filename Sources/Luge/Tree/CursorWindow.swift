internal import Platform

/// Entries that a cursor has looked at and not met yet, and the one that it is at. Small and plain, so that
/// moving within it is inlined into callers.
///
/// Invariant: every address names a record that the cursor's runs hold.
///
/// Safe because the pointers go into memory of the cursor's reader, and nothing else writes there.
@usableFromInline
@safe struct CursorWindow: @unchecked Sendable {
  @usableFromInline var frontNext: UnsafeMutablePointer<UInt64>
  @usableFromInline var frontEnd: UnsafeMutablePointer<UInt64>
  @usableFromInline var backNext: UnsafeMutablePointer<UInt64>
  @usableFromInline var backEnd: UnsafeMutablePointer<UInt64>
  /// The entry that the cursor is at; one without key and value when it is at none.
  @usableFromInline var record: UnsafeRawPointer

  init(_ reader: Reader) {
    unsafe (frontNext, frontEnd) = (reader.window(0), reader.window(0))
    unsafe (backNext, backEnd) = (reader.window(1), reader.window(1))
    unsafe record = reader.emptyRecord
  }

  /// Goes to the next entry from below; false when none is left here.
  @inlinable @inline(__always)
  mutating func takeNext() -> Bool {
    if unsafe frontNext == frontEnd { return false }
    unsafe record = UnsafeRawPointer(bitPattern: UInt(frontNext.pointee)).unsafelyUnwrapped
    unsafe frontNext += 1
    return true
  }

  /// Goes to the next entry from above; false when none is left here.
  @inlinable @inline(__always)
  mutating func takePrevious() -> Bool {
    if unsafe backNext == backEnd { return false }
    unsafe record = UnsafeRawPointer(bitPattern: UInt(backNext.pointee)).unsafelyUnwrapped
    unsafe backNext += 1
    return true
  }

  /// Goes to the entry that is the last one from above; false when none is left.
  mutating func takeLowestOfBack() -> Bool {
    if unsafe backNext == backEnd { return false }
    unsafe backEnd -= 1
    return at(unsafe backEnd.pointee)
  }

  /// Goes to the entry that is the last one from below; false when none is left.
  mutating func takeHighestOfFront() -> Bool {
    if unsafe frontNext == frontEnd { return false }
    unsafe frontEnd -= 1
    return at(unsafe frontEnd.pointee)
  }

  mutating func at(_ address: UInt64) -> Bool {
    unsafe record = UnsafeRawPointer(Record(address: address).base)
    return true
  }
}
