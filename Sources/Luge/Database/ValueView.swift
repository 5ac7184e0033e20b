import Platform

/// A value as it was when it was asked for, lent and not copied. It stays valid and unchanged for as
/// long as the view is kept, whatever others write, remove, split or evict meanwhile, even when the
/// database is closed. It keeps that one record in memory, and nothing else.
public struct ValueView: ~Copyable, Sendable {
  fileprivate let hold: RecordHold

  init(_ hold: consuming RecordHold) { self.hold = hold }

  /// The bytes of the value.
  public var bytes: RawSpan {
    @_lifetime(borrow self)
    get {
      // The record is held for as long as the view, which the span cannot outlive.
      noteTouch(unsafe UInt(bitPattern: hold.base))
      let (base, count) = unsafe RecordView.value(hold.base)
      return unsafe _overrideLifetime(
        RawSpan(_unsafeStart: base, byteCount: count), borrowing: self)
    }
  }
}

extension ValueView {
  func copy() -> [UInt8] { hold.record.value.copy() }
}

extension Tree {
  /// The value, lent for as long as the view is kept; nil where there is none. O(log n), copies
  /// nothing. Throws and blocks as `Tree` says.
  public func view(forKey key: RawSpan) throws(LugeError) -> ValueView? {
    // The tree reads the key within the call, and keeps nothing of it.
    let found = try unsafe key.withUnsafeBytes { (key) throws(LugeError) in
      unsafe try storage.hold(ByteView(key))
    }
    guard let found else { return nil }
    return ValueView(found)
  }

  /// The same for a key held in an array.
  public func view(forKey key: [UInt8]) throws(LugeError) -> ValueView? {
    // The span is used within the call.
    try view(forKey: unsafe key.span.bytes)
  }

  /// Calls `body` with the value, lent for the length of the call; nil, and no call, where there is
  /// none. O(log n), copies nothing, and less than `view` costs. The body may take its time and use
  /// the database. Throws what `body` throws, and a `LugeError` as `Tree` says.
  @inlinable @inline(__always)
  public func withValue<Result>(
    forKey key: RawSpan, _ body: (RawSpan) throws -> Result
  ) throws -> Result? {
    let loan = try lend(key)
    // The record is held until the loan ends, after the call of `body`.
    guard let record = unsafe loan.base else { return nil }
    defer { loan.end() }
    let (base, count) = unsafe RecordView.value(record)
    return try body(unsafe RawSpan(_unsafeStart: base, byteCount: count))
  }

  /// The same for a key held in an array.
  @inlinable @inline(__always)
  public func withValue<Result>(
    forKey key: [UInt8], _ body: (RawSpan) throws -> Result
  ) throws -> Result? {
    // The span is used within the call.
    try withValue(forKey: unsafe key.span.bytes, body)
  }

  @usableFromInline
  func lend(_ key: RawSpan) throws(LugeError) -> RecordLoan {
    // The tree reads the key within the call, and keeps nothing of it.
    try unsafe key.withUnsafeBytes { (key) throws(LugeError) in
      unsafe try storage.lend(ByteView(key))
    }
  }

  /// A copy of the value. O(log n).
  public func value(forKey key: RawSpan) throws(LugeError) -> [UInt8]? {
    // The tree reads the key within the call, and keeps nothing of it.
    try unsafe key.withUnsafeBytes { (key) throws(LugeError) in unsafe try storage.get(key) }
  }

  /// Whether the key has a value. O(log n).
  public func contains(_ key: RawSpan) throws(LugeError) -> Bool {
    // The tree reads the key within the call, and keeps nothing of it.
    try unsafe key.withUnsafeBytes { (key) throws(LugeError) in unsafe try storage.contains(key) }
  }
}
