import Platform

/// A row of words that all threads change.
///
/// Safe: allocated once and never freed while the program runs; each word is atomic.
@safe final class Words: Sendable {
  nonisolated(unsafe) private let base: UnsafeMutablePointer<AtomicWord>
  let count: Int

  init(_ count: Int) {
    self.count = count
    unsafe base = UnsafeMutablePointer<AtomicWord>.allocate(capacity: count)
    for index in 0..<count { unsafe (base + index).initialize(to: AtomicWord(0)) }
  }

  deinit {
    unsafe base.deinitialize(count: count)
    unsafe base.deallocate()
  }

  private func check(_ index: Int) { precondition(index >= 0 && index < count) }

  func load(_ index: Int) -> UInt64 {
    check(index)
    return unsafe base[index].load()
  }

  func store(_ index: Int, _ value: UInt64) {
    check(index)
    unsafe base[index].store(value)
  }

  func fetchAdd(_ index: Int, _ amount: UInt64) -> UInt64 {
    check(index)
    return unsafe base[index].fetchAdd(amount)
  }

  /// Raises a word to `value` if it is below.
  func raise(_ index: Int, to value: UInt64) {
    check(index)
    var seen = unsafe base[index].load()
    while seen < value, unsafe !base[index].compareExchange(expected: seen, desired: value) {
      seen = unsafe base[index].load()
    }
  }
}

/// What the threads know of each other's writes; it outlives the database's openings.
///
/// A key that belongs to one thread has versions 1, 2, 3…; the thread says `started` before it writes one and
/// `done` afterwards. So whoever reads the key meets a version that is not below what was done before it
/// began, and not above what was started when it ended.
final class Truth: Sendable {
  let started: Words
  let done: Words
  /// How often each counter was raised.
  let raised: Words
  /// How many entries the queue was given; of each, how often it was taken out.
  let pushed = AtomicWord(0)
  let popped: Words
  /// The largest id that was returned.
  let identifiers = Words(1)
  /// Versions of groups, from 1 up.
  let groupVersions = AtomicWord(0)

  init(_ options: StressOptions) {
    started = Words(options.keys)
    done = Words(options.keys)
    raised = Words(options.counters)
    popped = Words(options.queue)
  }

  /// Whether this version of a key is its absence.
  static func isRemoval(_ version: UInt64) -> Bool { version % 5 == 0 }

  /// What is wrong with meeting `found` (nil: no entry), when everything up to `low` was done before and nothing
  /// above `high` was started afterwards. Nil when it may be.
  static func objection(_ found: UInt64?, _ low: UInt64, _ high: UInt64) -> String? {
    if let found {
      if found < low || found > high { return "version \(found), not from \(low) to \(high)" }
      return isRemoval(found) ? "version \(found), which is a removal" : nil
    }
    // Some version in between is a removal.
    return (low + 4) / 5 * 5 <= high ? nil : "nothing, but a version from \(low) to \(high)"
  }
}

/// Keys and values, and what a value must look like.
enum Bytes {
  static func key(_ index: Int, _ prefix: UInt8) -> [UInt8] {
    [
      prefix, UInt8(truncatingIfNeeded: index >> 24), UInt8(truncatingIfNeeded: index >> 16),
      UInt8(truncatingIfNeeded: index >> 8), UInt8(truncatingIfNeeded: index),
    ]
  }

  static func index(ofKey key: [UInt8]) -> Int {
    var index = 0
    for byte in key.dropFirst() { index = index << 8 | Int(byte) }
    return index
  }

  static func number(_ bytes: [UInt8], at offset: Int = 0) -> UInt64 {
    var number: UInt64 = 0
    for byte in bytes[offset..<offset + 8] { number = number << 8 | UInt64(byte) }
    return number
  }

  static func bytes(_ number: UInt64) -> [UInt8] {
    (0..<8).map { UInt8(truncatingIfNeeded: number >> UInt64(56 - 8 * $0)) }
  }

  /// Version, key, and a text that follows from both; now and then a long one.
  static func value(_ key: Int, _ version: UInt64) -> [UInt8] {
    let mixed = Random.mix(UInt64(key) << 40 ^ version)
    let length = mixed % 64 == 0 ? Int(mixed >> 8 % 12_000) % 12_000 : Int(mixed >> 8 & 255)
    var value = bytes(version) + bytes(UInt64(key))
    value.reserveCapacity(16 + length)
    for place in 0..<length { value.append(UInt8(truncatingIfNeeded: mixed >> UInt64(place & 31))) }
    return value
  }

  /// The version that a value says it is of; nil when its bytes are not those of any.
  static func version(of value: [UInt8], forKey key: Int) -> UInt64? {
    guard value.count >= 16 else { return nil }
    let version = number(value)
    return value == Bytes.value(key, version) ? version : nil
  }

  static func copy(_ span: RawSpan) -> [UInt8] {
    // Read inside the call that lends it.
    unsafe span.withUnsafeBytes { unsafe [UInt8]($0) }
  }
}
