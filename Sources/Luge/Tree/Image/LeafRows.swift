internal import Platform

/// Reads the rows of one leaf image's body, one after the other. Format: `LeafImage`.
///
/// Invariants: `next <= end`; after a step that answered `row`, `key` and `value` are this row's,
/// and keys have ascended strictly from the low key on. After `damaged` it is of no more use.
///
/// Safe as long as the body, the head's bytes and the key memory outlive it, which `LeafDecoder`
/// sees to; every read is checked against the end, every write of the key against `longestKey`.
@safe struct LeafRows {
  enum Step {
    case row
    case end
    case damaged
  }

  private var next: UnsafePointer<UInt8>
  private let end: UnsafePointer<UInt8>
  /// Rows not yet read; negative when the body is unreadable.
  private var left: Int
  private var isFirst = true
  /// `longestKey` bytes that hold the row's key.
  private let keyBytes: UnsafeMutablePointer<UInt8>
  private let longestKey: Int
  private var keyCount = 0

  private var isFixed = false
  private var restIsShared = false
  private var valueCoding: UInt8 = 0
  private var digits = KeyDigits.bytes
  private var prefix = 0
  private var digitCount = 0
  private var gapBytes = 0
  private var step: UInt64 = 0
  private var fixedValue = 0
  private let takesTombstones: Bool

  private(set) var value = ByteView.empty
  private(set) var kind = EntryKind.value

  var key: ByteView { unsafe ByteView(keyBytes, count: keyCount) }

  /// - Parameters:
  ///   - body: the plain body; nil when it could not be decompressed.
  ///   - keyMemory: `head.longestKey` bytes of this reader alone.
  @unsafe
  init(
    _ head: LeafHead, body: ByteView?, keyMemory: UnsafeMutableRawPointer
  ) {
    let isReadable = body != nil
    let body = body ?? .empty
    unsafe next = body.base.assumingMemoryBound(to: UInt8.self)
    unsafe end = next + body.count
    left = head.count
    unsafe keyBytes = keyMemory.assumingMemoryBound(to: UInt8.self)
    longestKey = head.longestKey
    takesTombstones = head.isFragment
    if left > 0 && !readLayout(head.low) || !isReadable { left = -1 }
  }

  private mutating func readLayout(_ low: ByteView) -> Bool {
    guard let layout = readByte(), layout >> 6 == 0, layout >> 1 & 3 <= 2,
      let digits = KeyDigits(rawValue: layout >> 3 & 3),
      let shared = readVarint(), shared <= UInt64(low.count), let rest = readVarint(),
      rest <= UInt64(TreeSettings.longestKey), Int(shared) + Int(rest) <= longestKey,
      unsafe Int(rest) <= end - next
    else { return false }
    isFixed = layout & 1 != 0
    valueCoding = layout >> 1 & 3
    self.digits = digits
    restIsShared = layout & 32 != 0
    keyCount = Int(shared) + Int(rest)
    unsafe UnsafeMutableRawPointer(keyBytes).copyMemory(from: low.base, byteCount: Int(shared))
    unsafe (keyBytes + Int(shared)).update(from: next, count: Int(rest))
    unsafe next += Int(rest)
    guard let prefix = readVarint(), prefix <= UInt64(keyCount), ByteView.compare(key, low) >= 0
    else { return false }
    self.prefix = Int(prefix)
    if isFixed ? !readNumber() : (restIsShared || digits != .bytes) { return false }
    if valueCoding == 0 {
      guard let length = readVarint(), length <= UInt64(TreeSettings.longestValue) else {
        return false
      }
      fixedValue = Int(length)
    }
    return true
  }

  /// The number in keys of fixed length. Checks that adding to it makes the next key greater.
  private mutating func readNumber() -> Bool {
    guard let count = readVarint(), count <= UInt64(keyCount - prefix), let gap = readByte(),
      gap <= 8, let step = readVarint()
    else { return false }
    (digitCount, gapBytes, self.step) = (Int(count), Int(gap), step)
    if digitCount == 0 { return gap == 0 && step == 0 && digits == .bytes && !restIsShared }
    var index = prefix
    while index < prefix + digitCount {
      if unsafe digits.value(keyBytes[index]) == nil { return false }
      index += 1
    }
    return step > 0
  }

  /// Before the first `advance`: goes on to the last row at or below `key` at once, where its place can be
  /// told because keys count up without gaps and values have one length. Else nothing happens.
  mutating func leap(to key: ByteView) {
    guard isFirst, left > 1, isFixed, restIsShared, gapBytes == 0, valueCoding == 0, step > 0,
      digitCount > 0, digitCount <= digits.most, key.count == keyCount,
      unsafe ByteView(key.base, count: prefix) == ByteView(keyBytes, count: prefix),
      let wanted = unsafe number(
        key.base.assumingMemoryBound(to: UInt8.self) + prefix),
      let first = unsafe number(UnsafePointer(keyBytes) + prefix), wanted > first
    else { return }
    let rows = Int(min((wanted &- first) / step, UInt64(left &- 1)))
    let (bytes, overflow) = fixedValue.multipliedReportingOverflow(by: rows)
    if unsafe overflow || bytes > end - next { return }
    // No more than what is wanted, which has as many digits.
    guard
      unsafe digits.add(UInt64(rows) &* step, to: keyBytes + prefix, count: digitCount)
    else {
      left = -1
      return
    }
    unsafe next += bytes
    left &-= rows
  }

  /// What the digits say; nil where one is none.
  @unsafe
  private func number(_ bytes: UnsafePointer<UInt8>) -> UInt64? {
    let radix: UInt64 = digits == .bytes ? 256 : digits == .decimal ? 10 : 16
    var number: UInt64 = 0
    var index = 0
    while index < digitCount {
      guard let digit = unsafe digits.value(bytes[index]) else { return nil }
      number = number &* radix &+ digit
      index &+= 1
    }
    return number
  }

  /// Goes to the next row. Never traps, whatever the bytes.
  @inline(__always)
  mutating func advance() -> Step {
    if left <= 0 { return unsafe left == 0 && next == end ? .end : .damaged }
    left &-= 1
    if isFirst {
      isFirst = false
    } else {
      let isGreater = isFixed ? readFixedKey() : readFrontCodedKey()
      if !isGreater { return .damaged }
    }
    return readValue() ? .row : .damaged
  }

  @inline(__always)
  private mutating func readFixedKey() -> Bool {
    if digitCount > 0 {
      guard let gap = readGap() else { return false }
      let (amount, overflow) = step.addingReportingOverflow(gap)
      if overflow { return false }
      if unsafe !digits.add(amount, to: keyBytes + prefix, count: digitCount) { return false }
      if restIsShared { return true }
    }
    let start = prefix &+ digitCount
    let count = keyCount &- start
    guard unsafe count <= end - next else { return false }
    if digitCount == 0, unsafe compareBytes(next, count, keyBytes + start, count) <= 0 {
      return false
    }
    unsafe UnsafeMutableRawPointer(keyBytes + start).copyMemory(from: next, byteCount: count)
    unsafe next += count
    return true
  }

  @inline(__always)
  private mutating func readGap() -> UInt64? {
    if gapBytes == 0 { return 0 }
    guard unsafe gapBytes <= end - next else { return nil }
    var gap: UInt64 = 0
    var index = gapBytes
    while index > 0 {
      index &-= 1
      gap = unsafe gap << 8 | UInt64(next[index])
    }
    unsafe next += gapBytes
    return gap
  }

  @inline(__always)
  private mutating func readFrontCodedKey() -> Bool {
    guard let lengths = readByte() else { return false }
    var shared = Int(lengths >> 4)
    var rest = Int(lengths & 15)
    if shared == 15 {
      guard let more = readVarint(), more <= UInt64(longestKey) else { return false }
      shared &+= Int(more)
    }
    if rest == 15 {
      guard let more = readVarint(), more <= UInt64(longestKey) else { return false }
      rest &+= Int(more)
    }
    let start = prefix &+ shared
    // The first byte that differs must make the key greater; where the key before ends, any does.
    guard rest > 0, start <= keyCount, rest <= longestKey &- start, unsafe rest <= end - next,
      unsafe start == keyCount || next[0] > keyBytes[start]
    else { return false }
    unsafe UnsafeMutableRawPointer(keyBytes + start).copyMemory(from: next, byteCount: rest)
    unsafe next += rest
    keyCount = start &+ rest
    return true
  }

  @inline(__always)
  private mutating func readValue() -> Bool {
    var count = fixedValue
    if valueCoding != 0 {
      guard let field = readVarint() else { return false }
      var length = field
      if valueCoding == 2 {
        guard let found = EntryKind(rawValue: UInt8(truncatingIfNeeded: field & 3)) else {
          return false
        }
        length = field >> 2
        if found == .tombstone && (length > 0 || !takesTombstones) { return false }
        if found == .reference && length != UInt64(ValueReference.bytes) { return false }
        kind = found
      }
      if length > UInt64(TreeSettings.longestValue) { return false }
      count = Int(length)
    }
    guard unsafe count <= end - next else { return false }
    value = unsafe ByteView(next, count: count)
    unsafe next += count
    if kind == .reference { return unsafe ValueReference(value.buffer) != nil }
    return true
  }

  @inline(__always)
  private mutating func readByte() -> UInt8? {
    if unsafe next == end { return nil }
    let byte = unsafe next.pointee
    unsafe next += 1
    return byte
  }

  /// Nil for one that is cut off, or above 63 bits, or longer than it need be.
  @inline(__always)
  private mutating func readVarint() -> UInt64? {
    guard let first = readByte() else { return nil }
    return first < 0x80 ? UInt64(first) : readLongVarint(UInt64(first & 0x7F))
  }

  private mutating func readLongVarint(_ low: UInt64) -> UInt64? {
    var value = low
    var shift: UInt64 = 7
    while shift <= 63 {
      guard let byte = readByte() else { return nil }
      if shift == 63 && byte > 1 { return nil }
      value |= UInt64(byte & 0x7F) << shift
      if byte & 0x80 == 0 { return byte == 0 ? nil : value }
      shift += 7
    }
    return nil
  }
}
