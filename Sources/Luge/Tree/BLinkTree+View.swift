internal import Platform

/// A record that stays as it is for as long as this is kept, whatever becomes of its key.
///
/// Safe because the guard names the record, and the tree keeps the memory that the guard lies in.
@safe struct RecordHold: ~Copyable, Sendable {
  private let held: HazardGuard
  // After the guard, which goes first.
  private let tree: BLinkTree
  // An immutable record but for two words.
  nonisolated(unsafe) let base: UnsafeRawPointer

  var record: Record { unsafe Record(UnsafeMutableRawPointer(mutating: base)) }

  init(_ tree: BLinkTree, _ record: Record, _ held: consuming HazardGuard) {
    self.tree = tree
    self.held = held
    unsafe base = UnsafeRawPointer(record.base)
  }
}

extension BLinkTree {
  /// The record of the value that a key has at a snapshot, which is registered, or now; held without
  /// a pin. Nil when there is none.
  func hold(
    _ key: ByteView, at snapshot: UInt64 = BLinkTree.latest
  ) throws(LugeError) -> RecordHold? {
    var attempt = ApartAttempt()
    while true {
      switch try holdResident(key, snapshot) {
      case .found(let hold): return hold
      case .absent: return nil
      case .missing: try pageIn(key)
      case .apart(let reference):
        try attempt.check(reference)
        do throws(LugeError) {
          return try materialize(key, reference)
        } catch { try attempt.note(error, reference) }
      }
    }
  }

  private enum Holding: ~Copyable {
    case found(RecordHold)
    case absent
    /// The leaf is not in memory.
    case missing
    /// The value lies apart: its bytes are read into a record of their own.
    case apart(ValueReference)
  }

  @inline(__always)
  private func holdResident(_ key: ByteView, _ snapshot: UInt64) throws(LugeError) -> Holding {
    let pin = try context.epochs.pin()
    defer { pin.end() }
    try checkOpen()
    guard let leaf = descend(key, pin)?.leaf else { return .missing }
    let top = Leaf.record(leaf.locate(key).word)
    if top == 0 { return .absent }
    let address = visible(top, at: snapshot, leaf, pin).record
    if address == 0 { return .absent }
    let record = Record(address: address)
    if record.isTombstone { return .absent }
    if record.isReference { return .apart(record.reference) }
    return .found(RecordHold(self, record, record.protect(pin)))
  }
}
