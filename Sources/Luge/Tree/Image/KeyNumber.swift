internal import Platform

/// The number in keys of one length that makes their rows smallest: after the prefix that all
/// share come `count` digits, then a rest. Without a number (`count` 0) a row has the whole rest.
struct KeyNumber: Equatable, Sendable {
  var digits = KeyDigits.bytes
  var count = 0
  /// The least step; `gapBytes` hold by how much a step is larger.
  var step: UInt64 = 0
  var gapBytes = 0
  var restIsShared = false
  /// Bytes of key in each row but the first.
  var rowBytes = 0

  init() {}

  /// Of at least two records of one key length, in order of keys, that share `prefix` bytes.
  @unsafe
  init(_ records: UnsafePointer<UInt64>, _ recordCount: Int, prefix: Int) {
    let length = unsafe Record(address: records[0]).keyCount
    let room = length - prefix
    rowBytes = room
    let tail = unsafe KeyNumber.sharedTail(records, recordCount, most: room)
    let numbers = UnsafeMutablePointer<UInt64>.allocate(capacity: recordCount)
    defer { unsafe numbers.deallocate() }
    // Digits that people write: all there are.
    for digits in [KeyDigits.decimal, .hexadecimal, .upperHexadecimal] {
      let run = unsafe KeyNumber.run(
        digits, records, recordCount, prefix, most: min(room, digits.most))
      if run == 0 { continue }
      var index = 0
      while index < recordCount {
        let key = unsafe Record(address: records[index]).key
        unsafe numbers[index] = KeyNumber.read(digits, run, key.base + prefix)
        index += 1
      }
      unsafe consider(digits, run, numbers, recordCount, shift: 0, room, tail)
    }
    // Bytes: any number of them may be the one that counts up evenly.
    let most = min(room, KeyDigits.bytes.most)
    var index = 0
    while index < recordCount {
      unsafe numbers[index] = Record(address: records[index]).key.head(at: prefix)
      index += 1
    }
    var count = 1
    while count <= most {
      unsafe consider(
        .bytes, count, numbers, recordCount, shift: UInt64(64 - 8 * count), room, tail)
      count += 1
    }
  }

  /// The number at the beginning of `bytes`, which has enough digits.
  func value(_ bytes: ByteView) -> UInt64 {
    if digits == .bytes { return bytes.head(at: 0) >> UInt64(64 - 8 * count) }
    return unsafe KeyNumber.read(digits, count, bytes.base)
  }

  @unsafe @inline(__always)
  private static func read(_ digits: KeyDigits, _ count: Int, _ base: UnsafeRawPointer) -> UInt64 {
    let radix: UInt64 = digits == .decimal ? 10 : 16
    var number: UInt64 = 0
    var place = 0
    while place < count {
      // All are digits, and no more than 64 bits hold.
      let byte = unsafe base.load(fromByteOffset: place, as: UInt8.self)
      number = number &* radix &+ (digits.value(byte) ?? 0)
      place &+= 1
    }
    return number
  }

  /// Takes this number if it makes rows smaller. Numbers that do not ascend strictly cannot be used.
  @unsafe
  private mutating func consider(
    _ digits: KeyDigits, _ count: Int, _ numbers: UnsafePointer<UInt64>, _ numberCount: Int,
    shift: UInt64, _ room: Int, _ tail: Int
  ) {
    var (least, greatest) = (UInt64.max, UInt64(0))
    var former = unsafe numbers[0] >> shift
    var index = 1
    while index < numberCount {
      let number = unsafe numbers[index] >> shift
      let step = number &- former
      if number <= former { return }
      if step < least { least = step }
      if step > greatest { greatest = step }
      former = number
      index &+= 1
    }
    let gapBits = 64 - (greatest - least).leadingZeroBitCount
    let gapBytes = (gapBits + 7) / 8
    let restIsShared = room - count <= tail
    let bytes = gapBytes + (restIsShared ? 0 : room - count)
    if bytes >= rowBytes { return }
    (self.digits, self.count, step) = (digits, count, least)
    (self.gapBytes, self.restIsShared, rowBytes) = (gapBytes, restIsShared, bytes)
  }

  /// How many bytes after the prefix are digits in all keys.
  @unsafe
  private static func run(
    _ digits: KeyDigits, _ records: UnsafePointer<UInt64>, _ count: Int, _ prefix: Int, most: Int
  ) -> Int {
    var run = most
    var index = 0
    while index < count && run > 0 {
      let key = unsafe Record(address: records[index]).key
      var place = 0
      while place < run,
        unsafe digits.value(key.base.load(fromByteOffset: prefix &+ place, as: UInt8.self)) != nil
      { place &+= 1 }
      run = place
      index &+= 1
    }
    return run
  }

  /// How many bytes all keys end with alike, at most `most`.
  @unsafe
  private static func sharedTail(
    _ records: UnsafePointer<UInt64>, _ count: Int, most: Int
  ) -> Int {
    let first = unsafe Record(address: records[0]).key
    var tail = most
    var index = 1
    while index < count && tail > 0 {
      let key = unsafe Record(address: records[index]).key
      var same = 0
      while same < tail,
        unsafe key.base.load(fromByteOffset: key.count &- 1 &- same, as: UInt8.self)
          == first.base.load(fromByteOffset: first.count &- 1 &- same, as: UInt8.self)
      { same &+= 1 }
      tail = same
      index &+= 1
    }
    return tail
  }
}
