/// Bytes by segment: a table of (serial, bytes) that ascends by serial and holds no zeros.
///
/// As the payload of a record of kind segment table, little-endian:
///
///     OFFSET  SIZE  DESCRIPTION
///          0     1  format version, 1
///          1     -  varint: number of entries
///          -     -  for each: varint serial (the first) or difference to the one before (at least 1),
///                   varint bytes (at least 1)
struct SegmentBytes: Equatable, Sendable {
  struct Use: Equatable, Sendable {
    var serial: UInt64
    var bytes: UInt64
  }

  private(set) var entries: [Use] = []

  private static let version: UInt8 = 1

  init() {}

  /// Bytes of one segment.
  func bytes(of serial: UInt64) -> UInt64 {
    let index = place(of: serial)
    return index < entries.count && entries[index].serial == serial ? entries[index].bytes : 0
  }

  /// All of another table's.
  mutating func add(_ other: SegmentBytes) {
    for entry in other.entries { add(entry.bytes, to: entry.serial) }
  }

  mutating func add(_ part: PagePart) { add(UInt64(part.bytes), to: part.address.serial) }

  mutating func add(_ bytes: UInt64, to serial: UInt64) {
    if bytes == 0 { return }
    let index = place(of: serial)
    if index < entries.count && entries[index].serial == serial {
      // What was counted lies in a file, so the sum is far below the end of the range.
      entries[index].bytes &+= bytes
    } else {
      entries.insert(Use(serial: serial, bytes: bytes), at: index)
    }
  }

  /// False, and nothing is changed, when the segment has fewer bytes than that.
  mutating func subtract(_ part: PagePart) -> Bool {
    subtract(UInt64(part.bytes), from: part.address.serial)
  }

  /// The same for a number of bytes.
  mutating func subtract(_ bytes: UInt64, from serial: UInt64) -> Bool {
    let index = place(of: serial)
    guard index < entries.count, entries[index].serial == serial, entries[index].bytes >= bytes
    else { return bytes == 0 }
    entries[index].bytes -= bytes
    if entries[index].bytes == 0 { entries.remove(at: index) }
    return true
  }

  private func place(of serial: UInt64) -> Int {
    // What is appended to comes last, and is asked for most.
    if let last = entries.last, last.serial < serial { return entries.count }
    var low = 0
    var high = entries.count
    while low < high {
      let middle = (low + high) / 2
      if entries[middle].serial < serial { low = middle + 1 } else { high = middle }
    }
    return low
  }

  func encode() -> [UInt8] {
    var writer = ByteWriter(capacity: 8 + 8 * entries.count)
    writer.write(Self.version)
    write(to: &writer)
    return writer.bytes
  }

  /// What follows the version.
  func write(to writer: inout ByteWriter) {
    writer.writeVarint(UInt64(entries.count))
    var former: UInt64 = 0
    for entry in entries {
      writer.writeVarint(entry.serial - former)
      writer.writeVarint(entry.bytes)
      former = entry.serial
    }
  }

  /// Nil when the bytes are no table. Never traps.
  static func decode(_ bytes: [UInt8]) -> SegmentBytes? {
    // Safe: the reader does not outlive the array that lends the buffer, and checks every read.
    unsafe bytes.withUnsafeBytes { buffer in
      var reader = unsafe ByteReader(buffer)
      guard unsafe reader.readUInt8() == version, let table = unsafe read(&reader) else {
        return nil
      }
      return unsafe reader.isAtEnd ? table : nil
    }
  }

  /// What follows the version; nil when the bytes are no table. Never traps.
  static func read(_ reader: inout ByteReader) -> SegmentBytes? {
    guard let count = unsafe reader.readVarint() else { return nil }
    var table = SegmentBytes()
    var serial: UInt64 = 0
    var left = count
    while left > 0 {
      guard let step = unsafe reader.readVarint(), let bytes = unsafe reader.readVarint(),
        step > 0 || left == count, bytes > 0
      else { return nil }
      let (next, overflow) = serial.addingReportingOverflow(step)
      guard !overflow, next < 1 << 32, bytes < 1 << 32 else { return nil }
      serial = next
      table.entries.append(Use(serial: serial, bytes: bytes))
      left -= 1
    }
    return table
  }
}
