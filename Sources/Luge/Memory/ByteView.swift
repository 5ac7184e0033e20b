internal import Platform

/// A run of bytes that somebody else keeps alive and does not change: a caller's key for the length
/// of a call, or part of an immutable record for the length of a pin.
///
/// Safe because every view is made from such a run, with its true length, and never outlives the
/// call or the pin; nothing stores one.
@safe struct ByteView {
  let base: UnsafeRawPointer
  let count: Int

  @unsafe @inline(__always)
  init(_ base: UnsafeRawPointer, count: Int) {
    if count > 0 { noteTouch(UInt(bitPattern: base)) }
    unsafe self.base = base
    self.count = count
  }

  /// Views a buffer; an empty one may have no address.
  @unsafe @inline(__always)
  init(_ buffer: UnsafeRawBufferPointer) {
    // No byte of an empty run is ever read, so any address stands for it.
    unsafe self.base = buffer.baseAddress ?? UnsafeRawPointer(bitPattern: 16).unsafelyUnwrapped
    self.count = buffer.count
  }

  /// The same bytes as a buffer, good for as long as the view.
  @unsafe @inline(__always)
  var buffer: UnsafeRawBufferPointer { unsafe UnsafeRawBufferPointer(start: base, count: count) }

  /// A run of no bytes.
  static var empty: ByteView { unsafe ByteView(UnsafeRawBufferPointer(start: nil, count: 0)) }

  /// A copy.
  func copy() -> [UInt8] {
    // Not by `unsafeUninitializedCapacity`: that looks the type of the storage up in the runtime,
    // at each call some 300 instructions more.
    unsafe [UInt8](buffer)
  }

  @inline(__always)
  func dropFirst(_ length: Int) -> ByteView {
    unsafe ByteView(base + length, count: count - length)
  }

  /// Negative, zero or positive: unsigned bytes, lexicographic, a prefix before what it begins.
  @inline(__always)
  static func compare(_ left: ByteView, _ right: ByteView) -> Int {
    if left.count >= 8 && right.count >= 8 {
      // Most keys differ here, which is cheaper than a call.
      let (a, b) = (left.head(at: 0), right.head(at: 0))
      if a != b { return a < b ? -1 : 1 }
    }
    return unsafe compareBytes(left.base, left.count, right.base, right.count)
  }

  @inline(__always)
  static func == (left: ByteView, right: ByteView) -> Bool {
    let count = left.count
    if count != right.count { return false }
    if count < 8 || count > 32 {
      return unsafe compareBytes(left.base, count, right.base, count) == 0
    }
    // Words of eight bytes, the last of them perhaps over bytes that were compared already.
    var offset = 0
    while offset &+ 8 < count {
      if left.word(offset) != right.word(offset) { return false }
      offset &+= 8
    }
    return left.word(count &- 8) == right.word(count &- 8)
  }

  /// Eight bytes that lie inside the run, in the processor's order.
  @inline(__always)
  private func word(_ offset: Int) -> UInt64 {
    unsafe base.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
  }

  /// The eight bytes from `offset` on as a big-endian number, zeros standing for missing ones, so
  /// that numbers that differ are ordered as the keys are.
  @inline(__always)
  func head(at offset: Int) -> UInt64 {
    let rest = count &- offset
    if rest >= 8 {
      return unsafe UInt64(bigEndian: base.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
    }
    return shortHead(at: offset, rest)
  }

  private func shortHead(at offset: Int, _ rest: Int) -> UInt64 {
    if rest <= 0 { return 0 }
    if count >= 8 {
      // The last eight bytes, those before `offset` shifted out.
      let last = unsafe base.loadUnaligned(fromByteOffset: count &- 8, as: UInt64.self)
      return UInt64(bigEndian: last) &<< UInt64(64 &- 8 &* rest)
    }
    var value: UInt64 = 0
    var index = 0
    while index < rest {
      let byte = unsafe base.load(fromByteOffset: offset &+ index, as: UInt8.self)
      value |= UInt64(byte) << UInt64(56 &- 8 &* index)
      index &+= 1
    }
    return value
  }

  /// True when the run begins with the `length` bytes, 1 or more, whose first eight are `head`. False
  /// may mean that this does not tell: of a longer one.
  @inline(__always)
  func hasPrefix(_ head: UInt64, _ length: Int) -> Bool {
    length <= 8 && count >= length
      && (self.head(at: 0) ^ head) &>> UInt64(64 &- 8 &* length) == 0
  }

  /// Sixteen bits that differ for most pairs of keys.
  @inline(__always)
  var hash16: UInt64 {
    let tail = count > 8 ? head(at: count &- 8) : 0
    let mixed = (head(at: 0) ^ (tail &* 0xD6E8_FEB8_6659_FD93) ^ UInt64(count))
    return ((mixed ^ (mixed >> 29)) &* 0x9E37_79B9_7F4A_7C15) >> 48
  }

  /// How many bytes the two have in common at the start.
  static func commonPrefix(_ left: ByteView, _ right: ByteView) -> Int {
    let shorter = left.count < right.count ? left.count : right.count
    var index = 0
    while index < shorter {
      let a = unsafe left.base.load(fromByteOffset: index, as: UInt8.self)
      let b = unsafe right.base.load(fromByteOffset: index, as: UInt8.self)
      if a != b { return index }
      index += 1
    }
    return shorter
  }
}

/// The order of keys held in arrays: negative, zero or positive.
func compareKeys(_ left: [UInt8], _ right: [UInt8]) -> Int {
  // The arrays outlive the closures.
  unsafe left.withUnsafeBytes { left in
    unsafe right.withUnsafeBytes { right in
      unsafe ByteView.compare(ByteView(left), ByteView(right))
    }
  }
}
