internal import Platform

// Single-key writes of values that lie apart, and over such values. The steps are those of
// `BLinkTree+Write`. What has to wait is done between two attempts, unpinned: reading the value that was
// found, where the decision hangs on its bytes or the caller wants them, and writing the new one.
// The new value is in its segment before its record is installed; the flush that writes the
// commit makes the segment durable first.

/// What such a write carries from one attempt to the next.
final class ApartWrite<Kind: KeyWrite> {
  /// Of the new value, once it is in its segment: the operation's own until the commit.
  var reference: ValueReference?
  /// What an attempt found and needs the bytes of; nil: it needs the new value to be in its segment.
  var wanted: ValueReference?
  /// What was found before, read, and what that means for the write.
  var found: (reference: ValueReference, bytes: [UInt8], decision: WriteDecision)?
  fileprivate let kind: Kind
  fileprivate let valueChecksum: UInt32
  private let expectedChecksum: UInt32

  fileprivate init(_ kind: Kind) {
    self.kind = kind
    // Before anything is pinned: these may be many bytes.
    valueChecksum = kind.value.map { value in value.checksum } ?? 0
    expectedChecksum = kind.expected.map { value in value.checksum } ?? 0
  }

  /// What is to be done about a value that lies apart; nil where that hangs on bytes that are not here.
  func decide(on record: Record) -> WriteDecision? {
    let reference = record.reference
    if let found, found.reference == reference { return found.decision }
    if !Kind.wantsFormer && !mayBeEqual(reference) { return kind.decideUnlike() }
    wanted = reference
    return nil
  }

  /// Whether the value may be the one that the write compares it with.
  private func mayBeEqual(_ reference: ValueReference) -> Bool {
    isLike(kind.value, valueChecksum, reference)
      || isLike(kind.expected, expectedChecksum, reference)
  }

  private func isLike(
    _ bytes: ByteView?, _ checksum: UInt32, _ reference: ValueReference
  ) -> Bool {
    guard let bytes else { return false }
    return bytes.count == Int(reference.length) && checksum == reference.checksum
  }
}

extension ByteView {
  /// CRC-32C of bytes that the caller of a write lends.
  var checksum: UInt32 { unsafe crc32c(buffer) }
}

extension BLinkTree {
  /// Writes one key, whatever it or its present value's size.
  @inline(never)
  func writeApart<Kind: KeyWrite>(
    _ key: ByteView, _ kind: Kind, _ old: inout [UInt8]?
  ) throws(LugeError) -> Bool {
    let state = ApartWrite(kind)
    let applied: Bool
    do throws(LugeError) {
      applied = try writeApart(key, &old, state)
    } catch {
      try? releaseUnused(state, key)
      throw error
    }
    // Whatever keeps it from being released, the write is done.
    try? releaseUnused(state, key)
    return applied
  }

  private func releaseUnused<Kind>(_ state: ApartWrite<Kind>, _ key: ByteView) throws(LugeError) {
    guard let reference = state.reference else { return }
    probe("value.unused")
    try context.values.release([reference.part(key: key.count)], at: context.log.tail)
  }

  private func writeApart<Kind: KeyWrite>(
    _ key: ByteView, _ old: inout [UInt8]?, _ state: ApartWrite<Kind>
  ) throws(LugeError) -> Bool {
    let kind = state.kind
    let count = kind.valueCount.map { count in isLarge(count) ? ValueReference.bytes : count }
    let pieceBytes = redoPieceBytes(key: key.count, value: count)
    var attempt = ApartAttempt()
    var overdraws = false
    while true {
      switch try admittedAttempt(key, kind, pieceBytes, &old, overdraws, state) {
      case .done(let applied): return applied
      case .again: continue
      case .missing:
        try pageIn(key)
        overdraws = true
      case .apart:
        if let wanted = state.wanted {
          state.wanted = nil
          try attempt.check(wanted)
          do throws(LugeError) { try read(wanted, key, state) } catch {
            try attempt.note(error, wanted)
          }
        } else if let value = kind.value {
          try context.interrupt("value.append")
          state.reference = try keepApart(value, of: key, checksum: state.valueChecksum)
        }
      }
    }
  }

  /// Whether a value of so many bytes lies apart.
  @inline(__always)
  func isLarge(_ count: Int) -> Bool { count >= context.settings.largeValue }

  private func read<Kind>(
    _ wanted: ValueReference, _ key: ByteView, _ state: ApartWrite<Kind>
  ) throws(LugeError) {
    probe("value.compared")
    let bytes = try readApart(wanted, keyCount: key.count)
    // The view is good within the closure; the decision has views of the caller's bytes only.
    let decision = unsafe bytes.withUnsafeBytes { unsafe state.kind.decide(ByteView($0)) }
    state.found = (wanted, bytes, decision)
  }
}
