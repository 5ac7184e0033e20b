internal import Platform

/// Which addresses readers hold, gathered once for many questions. Most questions about what is not held
/// are answered by one bit.
///
/// Safe because the words belong to the caller for as long as the filter is used, and readers live
/// as long as their list.
@safe struct HeldFilter {
  private let bits: UnsafeMutablePointer<UInt64>
  private let readers: ReaderList
  /// False: nothing is held.
  let holdsAny: Bool

  static let words = 64

  /// Looks at every reader. After the pins were looked at; `bits` has room for `words` words.
  @unsafe
  init(_ readers: ReaderList, _ bits: UnsafeMutablePointer<UInt64>) {
    unsafe self.bits = bits
    self.readers = readers
    var any = false
    HeldFilter.forEach(readers) { address in
      if !any {
        any = true
        unsafe bits.initialize(repeating: 0, count: HeldFilter.words)
      }
      let bit = HeldFilter.bit(address)
      unsafe bits[bit >> 6] |= 1 << UInt64(bit & 63)
      return true
    }
    holdsAny = any
  }

  /// Whether a reader held this address when the filter was made.
  @inline(__always)
  func contains(_ address: UInt64) -> Bool {
    if !holdsAny { return false }
    let bit = HeldFilter.bit(address)
    if unsafe bits[bit >> 6] & (1 << UInt64(bit & 63)) == 0 { return false }
    return isHeld(address)
  }

  @inline(never)
  private func isHeld(_ address: UInt64) -> Bool {
    var found = false
    HeldFilter.forEach(readers) { held in
      if held == address { found = true }
      return !found
    }
    return found
  }

  @inline(__always)
  private static func bit(_ address: UInt64) -> Int {
    // Twelve bits: one of 64 x 64.
    Int(truncatingIfNeeded: (address &* 0x9E37_79B9_7F4A_7C15) >> 52)
  }

  /// Calls `body` with every held address until it answers false.
  @inline(__always)
  private static func forEach(_ readers: ReaderList, _ body: (UInt64) -> Bool) {
    var candidate = readers.first
    while let reader = candidate {
      var run = 0
      while run < 2 {
        let part = reader.heldPart(run).load()
        var index = Int(part >> 32)
        let end = Int(part & 0xFFFF_FFFF)
        while index < end {
          if !body(reader.record(run, index).loadRelaxed()) { return }
          index &+= 1
        }
        run &+= 1
      }
      candidate = Reader(address: reader.next.loadRelaxed())
    }
  }
}
