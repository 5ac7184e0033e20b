/// The directory: which image of which leaf a checkpoint consists of, in order of (tree, low key).
/// It is written as a chain of parts, records of the page segments, last part first, so that each can name the next.
///
/// One part, little endian:
///
///     OFFSET  SIZE  DESCRIPTION
///          0     8  address of the next part; 0 in the last
///          8     4  number of entries
///         12     -  the entries, packed
///
/// One entry:
///
///     varint  tree id
///     8       address of the leaf image
///     4       length of the leaf image in bytes
///     8       W: every commit with an LSN below it is in the image or superseded there
///     varint  live entries of the leaf
///     varint  length of the low key, then the low key
struct DirectoryEntry: Equatable, Sendable {
  var tree: UInt64
  var lowKey: [UInt8]
  var address: PageAddress
  /// Bytes of the image.
  var length: Int
  var imageLSN: UInt64
  var liveEntries: UInt64
}

struct DirectoryPart: Equatable, Sendable {
  /// `.none` in the last part.
  var next: PageAddress
  var entries: [DirectoryEntry]

  static let headerSize = 12

  func encode() -> [UInt8] {
    var writer = ByteWriter()
    writer.write(next.rawValue)
    writer.write(UInt32(entries.count))
    for entry in entries {
      writer.writeVarint(entry.tree)
      writer.write(entry.address.rawValue)
      writer.write(UInt32(entry.length))
      writer.write(entry.imageLSN)
      writer.writeVarint(entry.liveEntries)
      writer.writeCounted(entry.lowKey)
    }
    return writer.bytes
  }

  /// Nil when the bytes are no directory part. Never traps.
  static func decode(_ bytes: [UInt8]) -> DirectoryPart? {
    // The reader does not outlive the array, and copies what it keeps.
    unsafe bytes.withUnsafeBytes { buffer in unsafe decode(buffer) }
  }

  // Safe: the reader stays within `bytes`, lent for the call, and what it finds is copied.
  private static func decode(_ bytes: UnsafeRawBufferPointer) -> DirectoryPart? {
    var reader = unsafe ByteReader(bytes)
    guard let nextAddress = unsafe reader.readUInt64(),
      let count = unsafe reader.readUInt32()
    else { return nil }
    var entries: [DirectoryEntry] = []
    // A damaged count must not make us reserve memory for it: the bytes left bound it.
    entries.reserveCapacity(min(Int(count), bytes.count / 22))
    var index = 0
    while index < Int(count) {
      guard let tree = unsafe reader.readVarint(), let address = unsafe reader.readUInt64(),
        let length = unsafe reader.readUInt32(), let lsn = unsafe reader.readUInt64(),
        let live = unsafe reader.readVarint(), let key = unsafe reader.readCounted()
      else { return nil }
      entries.append(
        DirectoryEntry(
          tree: tree, lowKey: unsafe Array(key),
          address: PageAddress(rawValue: address), length: Int(length), imageLSN: lsn,
          liveEntries: live))
      index += 1
    }
    return unsafe reader.isAtEnd
      ? DirectoryPart(next: PageAddress(rawValue: nextAddress), entries: entries) : nil
  }

  /// Cuts entries into parts of about `target` bytes each, in order.
  static func split(_ entries: [DirectoryEntry], target: Int) -> [[DirectoryEntry]] {
    var parts: [[DirectoryEntry]] = []
    var current: [DirectoryEntry] = []
    var size = headerSize
    for entry in entries {
      let entrySize = 40 + entry.lowKey.count
      if !current.isEmpty && size + entrySize > target {
        parts.append(current)
        current = []
        size = headerSize
      }
      current.append(entry)
      size += entrySize
    }
    if !current.isEmpty { parts.append(current) }
    return parts
  }
}
