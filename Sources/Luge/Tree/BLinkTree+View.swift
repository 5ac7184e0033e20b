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

/// A record that stays as it is until the end of a call into the database, which ends the loan.
///
/// Safe because the call keeps the tree, and so the memory that the hazard lies in.
@usableFromInline
@safe struct RecordLoan {
  /// Nil when there is none.
  @usableFromInline let base: UnsafeRawPointer?
  private let hazard: WordRef?

  fileprivate init(_ record: Record, _ hazard: WordRef) {
    unsafe base = UnsafeRawPointer(record.base)
    self.hazard = hazard
  }

  fileprivate init() {
    unsafe base = nil
    hazard = nil
  }

  /// Once, where there is a record.
  @usableFromInline
  func end() { hazard?.store(0) }
}

extension BLinkTree {
  /// The record of the value that a key has now, for the length of a call that holds the tree. Counts
  /// no reference: threads would take that line from each other at each read.
  func lend(_ key: ByteView) throws(LugeError) -> RecordLoan {
    guard let (record, hazard) = try find(key, BLinkTree.latest) else { return RecordLoan() }
    return RecordLoan(record, hazard)
  }

  /// The record of the value that a key has at a snapshot, which is registered, or now; held without
  /// a pin. Nil when there is none.
  func hold(
    _ key: ByteView, at snapshot: UInt64 = BLinkTree.latest
  ) throws(LugeError) -> RecordHold? {
    guard let (record, hazard) = try find(key, snapshot) else { return nil }
    return RecordHold(self, record, HazardGuard(hazard))
  }

  /// The record, and the hazard that holds it, which is the caller's to clear.
  @inline(__always)
  private func find(
    _ key: ByteView, _ snapshot: UInt64
  ) throws(LugeError) -> (Record, WordRef)? {
    while true {
      switch try findResident(key, snapshot) {
      case .found(let record, let hazard): return (record, hazard)
      case .absent: return nil
      case .missing:
        if snapshot == BLinkTree.latest {
          switch try lendPastMemory(key) {
          case .found(let lent): return (lent.record, lent.hazard)
          case .absent: return nil
          case .declined: break
          }
        }
        try pageIn(key)
      case .apart: return try findApart(key, snapshot)
      }
    }
  }

  @inline(never)
  private func findApart(
    _ key: ByteView, _ snapshot: UInt64
  ) throws(LugeError) -> (Record, WordRef)? {
    var attempt = ApartAttempt()
    while true {
      switch try findResident(key, snapshot) {
      case .found(let record, let hazard): return (record, hazard)
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

  private enum Finding {
    /// The hazard that holds the record is the caller's to clear.
    case found(Record, WordRef)
    case absent
    /// The leaf is not in memory.
    case missing
    /// The value lies apart: its bytes are read into a record of their own.
    case apart(ValueReference)
  }

  @inline(__always)
  private func findResident(_ key: ByteView, _ snapshot: UInt64) throws(LugeError) -> Finding {
    let pin = try context.pins.pin()
    defer { pin.end() }
    switch try sight(key, snapshot, pin) {
    case .missing: return .missing
    case .absent: return .absent
    case .apart(let reference): return .apart(reference)
    case .here(let record): return .found(record, pin.hazard(on: record.address))
    }
  }

  /// What a look at a key shows.
  enum Sight {
    /// The leaf is not in memory, or not all of it.
    case missing
    case absent
    /// Good for as long as the pin.
    case here(Record)
    case apart(ValueReference)
  }

  /// The value that a key has at a snapshot, which is registered, or now. Pinned.
  @inline(__always)
  func sight(_ key: ByteView, _ snapshot: UInt64, _ pin: Pin) throws(LugeError) -> Sight {
    try checkOpen()
    guard let place = approach(key, pin), let leaf = place.leaf else { return .missing }
    // Whatever is found: a page that was read and is not used stays longer than others.
    leaf.noteVisit()
    let top = Leaf.record(leaf.locate(key, near: place.near).word)
    if top == 0 { return leaf.isPartial ? .missing : .absent }
    let address = visible(top, at: snapshot, leaf, pin).record
    if address == 0 { return leaf.isPartial ? .missing : .absent }
    let record = Record(address: address)
    if record.isTombstone { return .absent }
    if record.isReference { return .apart(record.reference) }
    return .here(record)
  }
}
