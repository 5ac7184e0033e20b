/// How a number is written inside keys, so that keys in order are numbers in order.
enum KeyDigits: UInt8, Sendable {
  /// Big-endian.
  case bytes = 0
  case decimal = 1
  case hexadecimal = 2
  case upperHexadecimal = 3

  /// The most digits whose number is sure to fit into 64 bits.
  var most: Int {
    switch self {
    case .bytes: 8
    case .decimal: 19
    case .hexadecimal, .upperHexadecimal: 16
    }
  }

  /// What a digit stands for; nil for any other byte.
  @inline(__always)
  func value(_ byte: UInt8) -> UInt64? {
    if self == .bytes { return UInt64(byte) }
    if byte &- 0x30 < 10 { return UInt64(byte &- 0x30) }
    if self == .hexadecimal && byte &- 0x61 < 6 { return UInt64(byte &- 0x61 &+ 10) }
    if self == .upperHexadecimal && byte &- 0x41 < 6 { return UInt64(byte &- 0x41 &+ 10) }
    return nil
  }

  /// Adds to the `count` digits at `digits`, which must be digits. False when the sum needs more.
  @unsafe @inline(__always)
  func add(_ amount: UInt64, to digits: UnsafeMutablePointer<UInt8>, count: Int) -> Bool {
    if self == .bytes { return unsafe KeyDigits.addBytes(amount, digits, count) }
    return unsafe addDigits(amount, digits, count)
  }

  @unsafe @inline(__always)
  private static func addBytes(
    _ amount: UInt64, _ digits: UnsafeMutablePointer<UInt8>, _ count: Int
  ) -> Bool {
    var rest = amount
    var index = count
    while rest != 0 {
      if index == 0 { return false }
      index &-= 1
      let sum = unsafe UInt64(digits[index]) &+ (rest & 0xFF)
      unsafe digits[index] = UInt8(truncatingIfNeeded: sum)
      rest = (rest >> 8) &+ (sum >> 8)
    }
    return true
  }

  @unsafe
  private func addDigits(
    _ amount: UInt64, _ digits: UnsafeMutablePointer<UInt8>, _ count: Int
  ) -> Bool {
    let radix: UInt64 = self == .decimal ? 10 : 16
    let letters: UInt64 = self == .upperHexadecimal ? 0x41 : 0x61
    var rest = amount
    var index = count
    while rest != 0 {
      if index == 0 { return false }
      index &-= 1
      guard let digit = unsafe value(digits[index]) else { return false }
      let quotient = rest / radix
      var sum = digit &+ rest &- quotient &* radix
      rest = quotient
      if sum >= radix {
        sum &-= radix
        rest &+= 1
      }
      unsafe digits[index] = UInt8(
        truncatingIfNeeded: sum < 10 ? 0x30 &+ sum : letters &+ sum &- 10)
    }
    return true
  }
}
