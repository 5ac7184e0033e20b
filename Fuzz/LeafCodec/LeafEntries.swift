import Platform

@testable import Luge

/// An entry of a leaf image, in arrays.
struct LeafEntry: Equatable {
  var key: [UInt8]
  var value: [UInt8]
  var kind = EntryKind.value
  var reference: ValueReference?
}

/// Makes entries out of an input, and images out of entries.
///
/// Safe: records live for the length of a call and are freed by the pin that made them; what is lent is copied.
final class LeafMaker {
  let contexts = CodecContexts()
  private let epochs = EpochReclaimer()

  /// Keys of a family, so that every layout is met: numbers in several spellings, fixed text around them, prefixes.
  static func entries(_ reader: inout InputReader, tombstones: Bool) -> [LeafEntry] {
    let family = reader.below(7)
    let prefix = reader.counted(most: 40)
    let suffix = reader.counted(most: 20)
    var number = reader.number(bytes: 4)
    let count = reader.below(48)
    let valueLength = Int(reader.byte())
    var entries: [LeafEntry] = []
    while entries.count < count {
      let key: [UInt8]
      number &+= 1 &+ UInt64(reader.byte())
      switch family {
      case 0: key = prefix + reader.counted(most: 24)
      case 1: key = prefix + Array(String(1_000_000_000_000 + number).utf8) + suffix
      case 2: key = prefix + Array(String(number | 1 << 48, radix: 16).utf8) + suffix
      case 3: key = prefix + Array(String(number | 1 << 48, radix: 16, uppercase: true).utf8)
      case 4: key = prefix + bigEndian(number) + suffix
      case 5: key = prefix + bigEndian(number) + reader.counted(most: 8)
      default: key = reader.take(1 + reader.below(2)) + prefix
      }
      entries.append(value(key, &reader, valueLength, tombstones: tombstones))
    }
    return ascending(entries)
  }

  private static func value(
    _ key: [UInt8], _ reader: inout InputReader, _ length: Int, tombstones: Bool
  ) -> LeafEntry {
    switch reader.below(8) {
    case 7 where tombstones: return LeafEntry(key: key, value: [], kind: .tombstone)
    case 6:
      let reference = ValueReference(
        address: (reader.number(bytes: 4) | 1) << 3, length: UInt32(reader.below(1 << 16)),
        checksum: UInt32(truncatingIfNeeded: reader.number(bytes: 2)))
      return LeafEntry(
        key: key, value: bytes(of: reference), kind: .reference, reference: reference)
    case 0...3: return LeafEntry(key: key, value: [UInt8](repeating: reader.byte(), count: length))
    default: return LeafEntry(key: key, value: reader.counted())
    }
  }

  private static func bytes(of reference: ValueReference) -> [UInt8] {
    // Copied before the loan ends.
    unsafe reference.withBytes { unsafe Array($0) }
  }

  static func bigEndian(_ number: UInt64) -> [UInt8] {
    (0..<8).map { UInt8(truncatingIfNeeded: number >> UInt64(56 - 8 * $0)) }
  }

  /// In order, the first one of each key.
  static func ascending(_ entries: [LeafEntry]) -> [LeafEntry] {
    let places = entries.indices.sorted {
      let order = compareKeys(entries[$0].key, entries[$1].key)
      return order != 0 ? order < 0 : $0 < $1
    }
    var unique: [LeafEntry] = []
    for place in places where unique.last?.key != entries[place].key {
      unique.append(entries[place])
    }
    return unique
  }

  // MARK: Images

  func base(
    _ entries: [LeafEntry], low: [UInt8], high: [UInt8]?, tree: UInt64, lsn: UInt64,
    _ compression: Compression
  ) throws -> [UInt8] {
    unsafe try withRecords(entries) { records, count in
      // The arrays outlive the calls.
      unsafe low.withUnsafeBytes { low in
        unsafe (high ?? []).withUnsafeBytes { bytes in
          unsafe LeafImage.encodeBase(
            tree: tree, lsn: lsn, low: ByteView(low), high: high == nil ? nil : ByteView(bytes),
            records: records, count: count, compression: compression, contexts: contexts)
        }
      }
    }
  }

  func fragment(
    _ entries: [LeafEntry], after previous: UInt64, low: [UInt8], tree: UInt64, lsn: UInt64,
    _ compression: Compression
  ) throws -> [UInt8] {
    unsafe try withRecords(entries) { records, count in
      // The array outlives the call.
      unsafe low.withUnsafeBytes { low in
        unsafe LeafImage.encodeFragment(
          tree: tree, lsn: lsn, low: ByteView(low), previous: PageAddress(rawValue: previous),
          records: records, count: count, compression: compression, contexts: contexts)
      }
    }
  }

  private func withRecords<Result>(
    _ entries: [LeafEntry], _ body: (UnsafePointer<UInt64>, Int) throws -> Result
  ) throws -> Result {
    let pin = try epochs.pin()
    defer { pin.end() }
    var addresses: [UInt64] = []
    for entry in entries { addresses.append(record(entry, pin).address) }
    defer { for address in addresses { Record(address: address).free(pin) } }
    // One more, so that there is always an address to lend.
    let scratch = addresses + [0]
    return try unsafe scratch.withUnsafeBufferPointer {
      try unsafe body($0.baseAddress!, addresses.count)
    }
  }

  private func record(_ entry: LeafEntry, _ pin: Pin) -> Record {
    // The arrays outlive the calls, and records copy what they keep.
    unsafe entry.key.withUnsafeBytes { key in
      if let reference = entry.reference {
        return unsafe Record.build(
          pin, version: VersionWord.committed, key: ByteView(key), reference: reference)
      }
      return unsafe entry.value.withUnsafeBytes { value in
        unsafe Record.build(
          pin, version: VersionWord.committed, key: ByteView(key),
          value: entry.kind == .tombstone ? nil : ByteView(value))
      }
    }
  }

  // MARK: Back

  /// Every entry of one part, tombstones included; throws a finding where they are not as they must be, whatever
  /// the bytes were.
  func entries(_ image: LeafImage) throws -> [LeafEntry] {
    var found: [LeafEntry] = []
    image.visit { key, value, kind in
      let bytes = value.copy()
      // Lent for the call.
      let reference = kind == .reference ? unsafe ValueReference(value.buffer) : nil
      found.append(LeafEntry(key: key.copy(), value: bytes, kind: kind, reference: reference))
    }
    try require(
      found.count == image.count, "an image of \(image.count) entries shows \(found.count)")
    try LeafMaker.requireOrder(found, image.low, image.high)
    for entry in found {
      try require(
        entry.kind != .tombstone || (image.isFragment && entry.value.isEmpty),
        "a tombstone in a base, or one with a value")
      try require(entry.kind != .reference || entry.reference != nil, "a reference to nothing")
    }
    return found
  }

  static func requireOrder(
    _ entries: [LeafEntry], _ low: [UInt8], _ high: [UInt8]?
  ) throws(Finding) {
    var former: [UInt8]?
    for entry in entries {
      if let former { try require(compareKeys(former, entry.key) < 0, "keys do not ascend") }
      try require(compareKeys(entry.key, low) >= 0, "a key below the low one")
      if let high { try require(compareKeys(entry.key, high) < 0, "a key not below the high one") }
      former = entry.key
    }
  }

  /// What a base and its fragments come to; with a key, what is below it may be left out.
  func merge(
    _ parts: [(address: UInt64, bytes: [UInt8])], low: [UInt8], tree: UInt64,
    leapingTo key: [UInt8]? = nil
  ) throws(LugeError) -> [LeafEntry] {
    let places = parts.map {
      PagePart(address: PageAddress(rawValue: $0.address), length: $0.bytes.count)
    }
    let head = [UInt8](repeating: 0, count: PageFormat.recordHeaderBytes)
    let records = parts.map { PageRecord(bytes: head + $0.bytes, payloadCount: $0.bytes.count) }
    // The arrays outlive the calls; what is kept is copied.
    return try unsafe low.withUnsafeBufferPointer { (low) throws(LugeError) in
      try LeafDecoder.reading(
        places, records, tree: tree, low: unsafe ByteView(UnsafeRawBufferPointer(low)),
        contexts: contexts
      ) { (decoder) throws(LugeError) in
        if let key { unsafe key.withUnsafeBytes { unsafe decoder.leap(to: ByteView($0)) } }
        var found: [LeafEntry] = []
        while try decoder.next() {
          found.append(
            LeafEntry(
              key: decoder.key.copy(), value: decoder.value.copy(), kind: decoder.kind,
              reference: decoder.reference))
        }
        return found
      }
    }
  }
}
