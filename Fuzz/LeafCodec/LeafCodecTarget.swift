@testable import Luge

/// The codecs of what page segments hold: images of leaves in one part and in several, of chunks, the list of
/// chunks, and tables of bytes. The first byte says which.
///
/// What must hold: bytes that nobody wrote are refused or come to entries in order, and what these are encoded to is
/// read as them again; entries come back from base and fragments as a merge of arrays has them.
final class LeafCodecTarget: FuzzTarget {
  static let name = "leaf-codec"
  static let summary = "leaf images, chunk images, the list of chunks: hostile, and there and back"
  static let longestInput = 4096

  private let maker = LeafMaker()

  init() {}

  func run(_ input: [UInt8]) throws {
    var reader = InputReader(input)
    switch reader.byte() & 7 {
    case 0, 1: try runPart(reader.rest())
    case 2: try runChunk(reader.rest())
    case 3: try runList(reader.rest())
    case 4: try runTable(reader.rest())
    default: try runMerge(&reader)
    }
  }

  /// Images larger than that are looked at, and not written anew.
  private static let mostEntries = 1024

  private func runPart(_ bytes: [UInt8]) throws {
    guard let image = try? LeafImage(decoding: bytes, contexts: maker.contexts) else { return }
    let entries = try maker.entries(image)
    if entries.count > Self.mostEntries { return }
    for compression in [Compression.none, .lz4] {
      let again = try encode(image, entries, compression)
      let second = try decode(again)
      try require(try maker.entries(second) == entries, "entries change when they are written anew")
      try require(
        second.tree == image.tree && second.lsn == image.lsn && second.low == image.low
          && second.high == image.high && second.previous == image.previous,
        "the head changes when it is written anew")
      try require(
        try encode(second, entries, compression) == again, "the same entries have two images")
    }
  }

  private func encode(
    _ image: LeafImage, _ entries: [LeafEntry], _ compression: Compression
  ) throws -> [UInt8] {
    image.isFragment
      ? try maker.fragment(
        entries, after: image.previous, low: image.low, tree: image.tree, lsn: image.lsn,
        compression)
      : try maker.base(
        entries, low: image.low, high: image.high, tree: image.tree, lsn: image.lsn, compression)
  }

  private func decode(_ bytes: [UInt8]) throws(Finding) -> LeafImage {
    do throws(LugeError) {
      return try LeafImage(decoding: bytes, contexts: maker.contexts)
    } catch { throw Finding("what was written cannot be read: \(error)") }
  }

  // MARK: Several parts

  /// Entries as an input describes them, in a base and fragments, read back as one page. What is left of the input
  /// damages the parts afterwards: then anything may be answered but what is out of order.
  private func runMerge(_ reader: inout InputReader) throws {
    let compression = [Compression.none, .lz4, .zstd(level: 1), .none][reader.below(4)]
    let low = reader.flag() ? reader.counted(most: 12) : []
    let fragments = reader.below(4)
    let sought = reader.counted(most: 16)
    var model: [LeafEntry] = []
    var parts: [(address: UInt64, bytes: [UInt8])] = []
    while parts.count <= fragments {
      var entries = LeafMaker.entries(&reader, tombstones: !parts.isEmpty)
      entries.removeAll { compareKeys($0.key, low) < 0 }
      let lsn = 4096 + UInt64(parts.count)
      if let last = parts.last {
        let bytes = try maker.fragment(
          entries, after: last.address, low: low, tree: 7, lsn: lsn, compression)
        parts.append((last.address + 8, bytes))
      } else {
        let bytes = try maker.base(entries, low: low, high: nil, tree: 7, lsn: lsn, compression)
        parts.append((8, bytes))
      }
      try require(try maker.entries(decode(parts[parts.count - 1].bytes)) == entries, "a part")
      model = LeafMaker.ascending(entries + model)
    }
    model.removeAll { $0.kind == .tombstone }
    do throws(LugeError) {
      let all = try maker.merge(parts, low: low, tree: 7)
      let later = try maker.merge(parts, low: low, tree: 7, leapingTo: sought)
      try Self.compare(all, later, model, sought)
    } catch {
      throw Finding("a page cannot be read: \(error)")
    }
    try damage(&parts, &reader, low)
  }

  private static func compare(
    _ all: [LeafEntry], _ later: [LeafEntry], _ model: [LeafEntry], _ sought: [UInt8]
  ) throws(LugeError) {
    func from(_ entries: [LeafEntry]) -> [LeafEntry] {
      entries.filter { compareKeys($0.key, sought) >= 0 }
    }
    // A failed comparison is told as damage, which the caller takes for a finding.
    if all != model { throw LeafImage.damage("a page comes to other entries") }
    if from(later) != from(model) || later.count > model.count {
      throw LeafImage.damage("a leap misses entries")
    }
  }

  private func damage(
    _ parts: inout [(address: UInt64, bytes: [UInt8])], _ reader: inout InputReader, _ low: [UInt8]
  ) throws(Finding) {
    if reader.remaining == 0 { return }
    while reader.remaining > 0 {
      let part = reader.below(parts.count)
      if parts[part].bytes.isEmpty { break }
      let place = reader.below(parts[part].bytes.count)
      parts[part].bytes[place] ^= reader.byte()
    }
    guard let found = try? maker.merge(parts, low: low, tree: 7) else { return }
    try LeafMaker.requireOrder(found, low, nil)
  }

  // MARK: Chunks and lists

  private func runChunk(_ bytes: [UInt8]) throws(Finding) {
    guard let image = ChunkImage.decode(bytes) else { return }
    var former: [UInt8]?
    for page in image.pages {
      if let former { try require(compareKeys(former, page.low) < 0, "low keys do not ascend") }
      former = page.low
      try require(!page.parts.isEmpty, "a page without parts")
    }
    if let high = image.high, let former {
      try require(compareKeys(former, high) < 0, "a low key not below the high one")
    }
    let again = image.encode()
    try require(ChunkImage.decode(again) == image, "a chunk changes when it is written anew")
    try require(ChunkImage.decode(again)?.encode() == again, "the same chunk has two images")
  }

  private func runList(_ bytes: [UInt8]) throws(Finding) {
    if let root = ChunkList.decodeRoot(bytes) {
      try require(ChunkList.encodeRoot(root) == bytes, "a root has two encodings")
    }
    guard let list = ChunkList.decode(bytes) else { return }
    for target in [64, 1 << 20] {
      var found: [ChunkEntry] = []
      for payload in ChunkList.encode(list, target: target) {
        guard let part = ChunkList.decode(payload) else { throw Finding("a list is not read") }
        found += part
      }
      try require(found == list, "the list of chunks changes when it is written anew")
    }
  }

  private func runTable(_ bytes: [UInt8]) throws(Finding) {
    guard let table = SegmentBytes.decode(bytes) else { return }
    try require(table.encode() == bytes, "a table of bytes has two encodings")
    var sum = SegmentBytes()
    for entry in table.entries.reversed() { sum.add(entry.bytes, to: entry.serial) }
    try require(sum == table, "a table of bytes depends on the order of its making")
    for entry in table.entries {
      try require(!sum.subtract(entry.bytes + 1, from: entry.serial), "less than nothing is left")
      try require(sum.subtract(entry.bytes, from: entry.serial), "bytes that are there cannot go")
    }
    try require(sum.entries.isEmpty, "a table of zeros has entries")
  }
}
