internal import Platform

/// Which addresses readers hold, gathered once for many questions. Most questions about what is
/// not held are answered by one bit.
///
/// Safe because the bits lie in a place of a thread, which uses them up before it makes the next
/// filter there, and readers live as long as their list.
@safe struct HeldFilter {
  private let bits: UnsafeMutablePointer<UInt64>
  private let readers: ReaderList
  let holdsAny: Bool

  private static let words = 64

  /// Looks at every reader. After all pins were looked at.
  init(_ readers: ReaderList, seenBy pin: Pin) {
    let base = unsafe pin.place + PinLayout.heldBits
    let bits = unsafe base.assumingMemoryBound(to: UInt64.self)
    var any = false
    HeldFilter.forEach(readers) { address in
      if !any {
        any = true
        unsafe bits.update(repeating: 0, count: HeldFilter.words)
      }
      let bit = HeldFilter.bit(address)
      unsafe bits[bit >> 6] |= 1 << UInt64(bit & 63)
      return true
    }
    unsafe self.bits = bits
    self.readers = readers
    holdsAny = any
  }

  /// Whether a reader holds this address, and has since the filter was made.
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

  /// Calls `body` with every address held now.
  func visit(_ body: (UInt64) -> Void) {
    if !holdsAny { return }
    HeldFilter.forEach(readers) { address in
      body(address)
      return true
    }
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
        var index = UInt32(part >> 32)
        let end = UInt32(truncatingIfNeeded: part)
        while index != end {
          let address = reader.record(run, Int(index)).load() & ~Reader.unlooked
          if !body(address) { return }
          index &+= 1
        }
        run &+= 1
      }
      candidate = Reader(address: reader.next.loadRelaxed())
    }
  }
}

/// Blocks that somebody held at one moment, for as long as one likes.
struct ProtectedBlocks: Sendable {
  private let addresses: [UInt64]

  init(_ hazards: HazardSet) {
    var addresses: [UInt64] = []
    hazards.visit { address in addresses.append(address) }
    addresses.sort()
    self.addresses = addresses
  }

  func contains(_ address: UInt64) -> Bool {
    var low = 0
    var high = addresses.count
    while low < high {
      let middle = (low + high) / 2
      if addresses[middle] < address { low = middle + 1 } else { high = middle }
    }
    return low < addresses.count && addresses[low] == address
  }
}
