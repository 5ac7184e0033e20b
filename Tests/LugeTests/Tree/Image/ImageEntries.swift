@testable import Luge

/// An entry of an image as tests compare it.
struct ImageEntry: Equatable {
  var key: [UInt8]
  var value: [UInt8]
  var kind = EntryKind.value
}

/// Makes images out of entries, and entries out of images.
enum ImageCodec {
  static let contexts = CodecContexts()

  static func base(
    _ entries: [ImageEntry], low: [UInt8] = [], high: [UInt8]? = nil, tree: UInt64 = 7,
    lsn: UInt64 = 4096, compression: Compression = .none
  ) throws -> [UInt8] {
    unsafe try withRecords(entries) { records, count in
      unsafe low.raw { low in
        guard let high else {
          return unsafe LeafImage.encodeBase(
            tree: tree, lsn: lsn, low: ByteView(low), high: nil, records: records, count: count,
            compression: compression, contexts: contexts)
        }
        return unsafe high.raw { high in
          unsafe LeafImage.encodeBase(
            tree: tree, lsn: lsn, low: ByteView(low), high: ByteView(high), records: records,
            count: count, compression: compression, contexts: contexts)
        }
      }
    }
  }

  static func fragment(
    _ entries: [ImageEntry], after previous: UInt64, low: [UInt8] = [], tree: UInt64 = 7,
    lsn: UInt64 = 4096, compression: Compression = .none
  ) throws -> [UInt8] {
    unsafe try withRecords(entries) { records, count in
      unsafe low.raw { low in
        unsafe LeafImage.encodeFragment(
          tree: tree, lsn: lsn, low: ByteView(low), previous: PageAddress(rawValue: previous),
          records: records, count: count, compression: compression, contexts: contexts)
      }
    }
  }

  /// Entries as records, for the length of a call.
  @unsafe static func withRecords<Result>(
    _ entries: [ImageEntry], _ body: (UnsafePointer<UInt64>, Int) throws -> Result
  ) throws -> Result {
    let epochs = EpochReclaimer()
    let pin = try epochs.pin()
    defer { pin.end() }
    var records: [UInt64] = []
    for entry in entries {
      let record = unsafe entry.key.raw { key in
        unsafe entry.value.raw { value in
          unsafe Record.build(
            pin, version: VersionWord.committed, key: ByteView(key),
            value: entry.kind == .tombstone ? nil : ByteView(value))
        }
      }
      records.append(record.address)
    }
    defer { for address in records { Record(address: address).free(pin) } }
    let scratch = records + [0]
    return try unsafe scratch.withUnsafeBufferPointer {
      try unsafe body($0.baseAddress!, records.count)
    }
  }

  /// Every entry of one part, tombstones included.
  static func entries(_ bytes: [UInt8]) throws -> [ImageEntry] {
    var result: [ImageEntry] = []
    try LeafImage(decoding: bytes).visit { key, value, kind in
      result.append(ImageEntry(key: key.copy(), value: value.copy(), kind: kind))
    }
    return result
  }

  /// What a base and its fragments come to.
  /// `leapingTo`: entries below that key may be left out.
  static func merge(
    _ parts: [(address: UInt64, bytes: [UInt8])], low: [UInt8] = [], tree: UInt64 = 7,
    leapingTo key: [UInt8]? = nil
  ) throws -> [ImageEntry] {
    let places = parts.map {
      PagePart(address: PageAddress(rawValue: $0.address), length: $0.bytes.count)
    }
    let records = parts.map {
      PageRecord(
        bytes: [UInt8](repeating: 0, count: PageFormat.recordHeaderBytes) + $0.bytes,
        payloadCount: $0.bytes.count)
    }
    return try unsafe low.raw { low in
      try LeafDecoder.reading(
        places, records, tree: tree, low: unsafe ByteView(low), contexts: contexts
      ) { (decoder) throws(LugeError) in
        var result: [ImageEntry] = []
        if let key { unsafe key.raw { unsafe decoder.leap(to: ByteView($0)) } }
        while try decoder.next() {
          result.append(
            ImageEntry(
              key: decoder.key.copy(), value: decoder.value.copy(), kind: decoder.kind))
        }
        return result
      }
    }
  }
}

/// Families of keys, so that every layout is met. All ascend strictly.
enum KeyFamily: CaseIterable {
  case words, empty, decimal, decimalWithGaps, hexadecimal, upperHexadecimal, bigEndian
  case bigEndianWithGaps, numberThenRandom, numberThenText, random, longShared, mixedLengths

  func keys(_ count: Int, _ random: inout TestRandom) -> [[UInt8]] {
    var keys: [[UInt8]] = []
    var number = UInt64(random.below(1 << 20))
    let step = UInt64(1 + random.below(3))
    for _ in 0..<count {
      keys.append(key(number, &random))
      number += hasGaps ? UInt64(1 + random.below(600)) : step
    }
    keys.sort { compareKeys($0, $1) < 0 }
    var unique: [[UInt8]] = []
    for key in keys where unique.last != key { unique.append(key) }
    return unique
  }

  private var hasGaps: Bool { self == .decimalWithGaps || self == .bigEndianWithGaps }

  private func key(_ number: UInt64, _ random: inout TestRandom) -> [UInt8] {
    let bigEndian = (0..<8).map { UInt8(truncatingIfNeeded: number >> UInt64(56 - 8 * $0)) }
    switch self {
    case .empty: return []
    case .words: return random.key()
    case .decimal, .decimalWithGaps: return Array("user\(100_000_000 + number)".utf8)
    case .hexadecimal: return Array(("k" + String(0x1_0000_0000 + number, radix: 16)).utf8)
    case .upperHexadecimal:
      return Array(String(0x1_0000_0000 + number, radix: 16, uppercase: true).utf8)
    case .bigEndian, .bigEndianWithGaps: return bigEndian
    case .numberThenRandom:
      return bigEndian + (0..<8).map { _ in UInt8(truncatingIfNeeded: random.next()) }
    case .numberThenText: return Array("id\(1_000_000 + number)/name".utf8)
    case .random: return (0..<16).map { _ in UInt8(truncatingIfNeeded: random.next()) }
    case .longShared:
      return [UInt8](repeating: 9, count: 300) + bigEndian
        + [UInt8](repeating: 1, count: random.below(40))
    case .mixedLengths:
      return (0..<random.below(60)).map { _ in UInt8(97 + random.below(2)) }
    }
  }
}
