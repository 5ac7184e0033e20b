/// What a page is on disk, as its chunk's image says.
struct ChunkPage: Equatable, Sendable {
  var low: [UInt8]
  /// W: redo records of the page below it are in the parts.
  var lsn: UInt64
  /// Live entries of all parts together, as `EntryCount` has it.
  var entries: Int
  /// The base, then the fragments, each newer than those before.
  var parts: [PagePart]
}

/// What a chunk looks like on disk: the payload of a page record of kind chunk.
///
/// All integers are little-endian. A varint has seven bits a byte, lowest first.
///
///     SIZE    DESCRIPTION
///     1       format version, 1
///     varint  tree id
///     varint  least W of the pages
///     varint  n, pages, at least 1
///     varint  l, length of the low key, which is the first page's; then the low key
///     varint  0: no high key; else 1 + length of the high key, then the high key
///     then n pages in ascending order of their low keys, to the end of the payload:
///     varint  bytes that the low key shares with the one before (the first page: with the chunk's)
///     varint  length of the rest of the low key, then the rest
///     varint  W, less the least
///     varint  twice the live entries, or one more: then the parts may have others than these
///     varint  parts, from 1 to 255; for each:
///     varint    serial of its segment
///     varint    offset in the segment / 8
///     varint    length of its payload
///
/// Low keys ascend and lie below the high key. Every page covers the keys from its low key to the
/// next page's, the last to the high key.
struct ChunkImage: Equatable, Sendable {
  static let formatVersion: UInt8 = 1
  /// More than any engine writes.
  static let mostParts = 255

  var tree: UInt64
  /// Nil: no key is too high.
  var high: [UInt8]?
  /// At least one, each with at least one part.
  var pages: [ChunkPage]

  var low: [UInt8] { pages[0].low }

  /// Live entries of all pages, as `EntryCount` has it.
  var entries: Int {
    var sum = 0
    for page in pages { sum = EntryCount.sum(sum, page.entries) }
    return sum
  }

  func encode() -> [UInt8] {
    var writer = ByteWriter(capacity: 64 + 32 * pages.count)
    var least = UInt64.max
    for page in pages { least = min(least, page.lsn) }
    writer.write(Self.formatVersion)
    writer.writeVarint(tree)
    writer.writeVarint(least)
    writer.writeVarint(UInt64(pages.count))
    writer.writeCounted(low)
    if let high {
      writer.writeVarint(UInt64(high.count) + 1)
      writer.write(high)
    } else {
      writer.writeVarint(0)
    }
    var former = low
    for page in pages {
      KeyStep.write(page.low, after: former, to: &writer)
      former = page.low
      writer.writeVarint(page.lsn - least)
      writer.writeVarint(EntryCount.encoded(page.entries))
      writer.writeVarint(UInt64(page.parts.count))
      for part in page.parts {
        writer.writeVarint(part.address.serial)
        writer.writeVarint(UInt64(part.address.offset / 8))
        writer.writeVarint(UInt64(part.length))
      }
    }
    return writer.bytes
  }

  /// What a chunk's image says but for its pages.
  struct Summary: Equatable {
    var tree: UInt64
    var low: [UInt8]
    var high: [UInt8]?
    var pages = 0
    /// As `EntryCount` has it.
    var entries = 0
  }

  /// Nil when the bytes are no chunk. Never traps.
  static func decode(_ bytes: [UInt8]) -> ChunkImage? {
    var pages: [ChunkPage] = []
    guard let summary = read(bytes, { page in pages.append(page) }) else { return nil }
    return ChunkImage(tree: summary.tree, high: summary.high, pages: pages)
  }

  /// Calls `body` with each page in order, until one is damaged: then the answer is nil, as for all
  /// bytes that are no chunk. Never traps. What `body` gets is used again for the next page.
  static func read(_ bytes: [UInt8], _ body: (ChunkPage) -> Void) -> Summary? {
    // The reader does not outlive the array, and copies what it keeps.
    unsafe bytes.withUnsafeBytes { buffer in
      var reader = unsafe ByteReader(buffer)
      guard unsafe reader.readUInt8() == formatVersion, let tree = unsafe reader.readVarint(),
        let least = unsafe reader.readVarint(), let count = unsafe reader.readVarint(),
        count >= 1, let low = unsafe reader.readCounted(), low.count <= TreeSettings.longestKey,
        let highSize = unsafe reader.readVarint(), highSize <= UInt64(TreeSettings.longestKey) + 1
      else { return nil }
      var high: [UInt8]?
      if highSize > 0 {
        guard let key = unsafe reader.readSlice(Int(highSize) - 1) else { return nil }
        high = unsafe Array(key)
      }
      var summary = Summary(tree: tree, low: unsafe Array(low), high: high)
      var page = ChunkPage(low: summary.low, lsn: 0, entries: 0, parts: [])
      var left = count
      while left > 0 {
        guard let order = unsafe readPage(&reader, &page, least),
          left == count ? order == 0 : order < 0
        else { return nil }
        body(page)
        summary.pages += 1
        summary.entries = EntryCount.sum(summary.entries, page.entries)
        left -= 1
      }
      if let high, compareKeys(page.low, high) >= 0 { return nil }
      return unsafe reader.isAtEnd ? summary : nil
    }
  }

  /// Reads the next page over the one before. Answers how the key before compares with its own.
  private static func readPage(
    _ reader: inout ByteReader, _ page: inout ChunkPage, _ least: UInt64
  ) -> Int? {
    guard let order = unsafe KeyStep.read(&reader, over: &page.low),
      let step = unsafe reader.readVarint(),
      let entries = unsafe reader.readVarint(), entries < 1 << 33,
      let count = unsafe reader.readVarint(), count >= 1, count <= UInt64(mostParts)
    else { return nil }
    let (lsn, overflow) = least.addingReportingOverflow(step)
    if overflow { return nil }
    page.lsn = lsn
    page.entries = EntryCount.decoded(entries)
    page.parts.removeAll(keepingCapacity: true)
    var left = count
    while left > 0 {
      guard let serial = unsafe reader.readVarint(), serial < 1 << 32,
        let offset = unsafe reader.readVarint(), offset < 1 << 29,
        let length = unsafe reader.readVarint(), length < 1 << 31, serial + offset > 0
      else { return nil }
      page.parts.append(
        PagePart(
          address: PageAddress(serial: serial, offset: Int(offset) * 8), length: Int(length)))
      left -= 1
    }
    return order
  }
}

/// How ascending keys are written: what a key shares with the one before is left out.
enum KeyStep {
  static func write(_ key: [UInt8], after former: [UInt8], to writer: inout ByteWriter) {
    // The arrays outlive the closures.
    unsafe key.withUnsafeBytes { bytes in
      let view = unsafe ByteView(bytes)
      let shared = unsafe former.withUnsafeBytes {
        unsafe ByteView.commonPrefix(view, ByteView($0))
      }
      writer.writeVarint(UInt64(shared))
      unsafe writer.writeCounted(UnsafeRawBufferPointer(rebasing: bytes[shared...]))
    }
  }

  /// Puts the next key in the place of the one before. Answers how the former compares with it; nil
  /// when there is no such key.
  static func read(_ reader: inout ByteReader, over key: inout [UInt8]) -> Int? {
    guard let shared = unsafe reader.readVarint(), shared <= UInt64(key.count),
      let rest = unsafe reader.readCounted(), Int(shared) + rest.count <= TreeSettings.longestKey
    else { return nil }
    let end = Int(shared)
    // What both share decides nothing.
    let order = unsafe key.withUnsafeBytes { former in
      unsafe ByteView.compare(
        ByteView(UnsafeRawBufferPointer(rebasing: former[end...])), ByteView(rest))
    }
    key.removeLast(key.count - end)
    var index = 0
    while index < rest.count {
      unsafe key.append(rest[index])
      index += 1
    }
    return order
  }

  /// Nil when there is no such key.
  static func read(_ reader: inout ByteReader, after former: [UInt8]) -> [UInt8]? {
    guard let shared = unsafe reader.readVarint(), shared <= UInt64(former.count),
      let rest = unsafe reader.readCounted(), Int(shared) + rest.count <= TreeSettings.longestKey
    else { return nil }
    var key = Array(former[0..<Int(shared)])
    unsafe key.append(contentsOf: rest)
    return key
  }
}
