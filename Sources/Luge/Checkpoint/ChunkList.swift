/// One chunk of one tree, as a checkpoint names it.
struct ChunkEntry: Equatable, Sendable {
  var tree: UInt64
  var low: [UInt8]
  /// Where the chunk's image is.
  var image: PagePart
  /// Live entries of all its pages, as `EntryCount` has it.
  var entries: Int
}

/// The list of chunks: what a checkpoint consists of, in order of (tree, low key). All of a tree's
/// keys from a chunk's low key to the next one's are in that chunk; a tree without chunks is empty.
///
/// It is written as records of kind directory, each with some of the entries, and one more that
/// lists those; the superblock names this *root*. All integers are little-endian; a varint has seven
/// bits a byte, lowest first.
///
/// The root:
///
///     SIZE    DESCRIPTION
///     1       format version, 1
///     1       0: a root
///     varint  number of records
///     then for each: varint serial of its segment, varint offset / 8, varint length of its payload
///
/// A record of entries:
///
///     1       format version, 1
///     1       1: entries
///     varint  number of entries
///     then for each:
///     varint    tree id, less the entry's before (the first: the id)
///     varint    bytes that the low key shares with the entry's before (0 where the tree changes)
///     varint    length of the rest of the low key, then the rest
///     varint    serial of the image's segment
///     varint    offset / 8
///     varint    length of its payload
///     varint    twice the live entries, or one more: then the pages may have others than these
///
/// Safe: readers stay within the bytes lent to them for a call, and what they find is copied.
enum ChunkList {
  static let formatVersion: UInt8 = 1
  private static let root: UInt8 = 0
  private static let entries: UInt8 = 1

  static func encodeRoot(_ records: [PagePart]) -> [UInt8] {
    var writer = ByteWriter(capacity: 16 + 12 * records.count)
    writer.write(formatVersion)
    writer.write(root)
    writer.writeVarint(UInt64(records.count))
    for record in records { write(record, to: &writer) }
    return writer.bytes
  }

  /// Nil when the bytes are no root. Never traps.
  static func decodeRoot(_ bytes: [UInt8]) -> [PagePart]? {
    // The reader does not outlive the array.
    unsafe bytes.withUnsafeBytes { buffer in
      var reader = unsafe ByteReader(buffer)
      guard unsafe reader.readUInt8() == formatVersion, unsafe reader.readUInt8() == root,
        let count = unsafe reader.readVarint()
      else { return nil }
      var records: [PagePart] = []
      var left = count
      while left > 0 {
        guard let record = unsafe readPart(&reader) else { return nil }
        records.append(record)
        left -= 1
      }
      return unsafe reader.isAtEnd ? records : nil
    }
  }

  /// Cuts the list into payloads of about `target` bytes each, in order.
  static func encode(_ list: [ChunkEntry], target: Int) -> [[UInt8]] {
    var payloads: [[UInt8]] = []
    var first = 0
    while first < list.count {
      var body = ByteWriter(capacity: target + 64)
      var former: ChunkEntry?
      var end = first
      while end < list.count && (end == first || body.count < target) {
        write(list[end], after: former, to: &body)
        former = list[end]
        end += 1
      }
      var writer = ByteWriter(capacity: body.count + 8)
      writer.write(formatVersion)
      writer.write(entries)
      writer.writeVarint(UInt64(end - first))
      writer.write(body.bytes)
      payloads.append(writer.bytes)
      first = end
    }
    return payloads
  }

  private static func write(
    _ entry: ChunkEntry, after former: ChunkEntry?, to writer: inout ByteWriter
  ) {
    writer.writeVarint(entry.tree - (former?.tree ?? 0))
    let isSameTree = former?.tree == entry.tree
    KeyStep.write(entry.low, after: isSameTree ? former?.low ?? [] : [], to: &writer)
    write(entry.image, to: &writer)
    writer.writeVarint(EntryCount.encoded(entry.entries))
  }

  private static func write(_ part: PagePart, to writer: inout ByteWriter) {
    writer.writeVarint(part.address.serial)
    writer.writeVarint(UInt64(part.address.offset / 8))
    writer.writeVarint(UInt64(part.length))
  }

  /// Nil when the bytes are no entries in order. Never traps.
  static func decode(_ bytes: [UInt8]) -> [ChunkEntry]? {
    // The reader does not outlive the array, and copies what it keeps.
    unsafe bytes.withUnsafeBytes { buffer in
      var reader = unsafe ByteReader(buffer)
      guard unsafe reader.readUInt8() == formatVersion, unsafe reader.readUInt8() == entries,
        let count = unsafe reader.readVarint()
      else { return nil }
      var list: [ChunkEntry] = []
      var left = count
      while left > 0 {
        guard let entry = unsafe readEntry(&reader, after: list.last) else { return nil }
        list.append(entry)
        left -= 1
      }
      return unsafe reader.isAtEnd ? list : nil
    }
  }

  private static func readEntry(
    _ reader: inout ByteReader, after former: ChunkEntry?
  ) -> ChunkEntry? {
    guard let step = unsafe reader.readVarint() else { return nil }
    let (tree, overflow) = (former?.tree ?? 0).addingReportingOverflow(step)
    let isSameTree = tree == former?.tree
    guard !overflow,
      let low = unsafe KeyStep.read(&reader, after: isSameTree ? former?.low ?? [] : []),
      let image = unsafe readPart(&reader), let entries = unsafe reader.readVarint(),
      entries < 1 << 48
    else { return nil }
    if let former, isSameTree, compareKeys(former.low, low) >= 0 { return nil }
    return ChunkEntry(tree: tree, low: low, image: image, entries: EntryCount.decoded(entries))
  }

  private static func readPart(_ reader: inout ByteReader) -> PagePart? {
    guard let serial = unsafe reader.readVarint(), serial < 1 << 32,
      let offset = unsafe reader.readVarint(), offset < 1 << 29,
      let length = unsafe reader.readVarint(), length < 1 << 31, serial + offset > 0
    else { return nil }
    return PagePart(
      address: PageAddress(serial: serial, offset: Int(offset) * 8), length: Int(length))
  }
}
