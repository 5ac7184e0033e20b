/// What a leaf looks like on disk: the payload of a page record of kind leaf.
///
/// All integers are little-endian. A varint has seven bits a byte, lowest first.
///
///     OFFSET SIZE DESCRIPTION
///          0    8 tree id
///          8    8 W: of the redo records of this page's keys, all below this LSN are in the image
///         16    4 n, entries
///         20    2 l, length of the low key
///         22    2 h, length of the high key, 0 when there is none
///         24    2 p, length of the prefix that all keys share
///         26    1 bit 0: there is a high key
///         27    1 format version, 1
///         28    l low key
///       28+l    h high key
///     28+l+h    p prefix
///             then n entries in ascending order of keys, to the end of the payload:
///     varint    length of the key after the prefix
///     varint    length of the value
///          s    key after the prefix
///          v    value
///
/// Keys are at or above the low key and below the high key; an image covers every key between them.
struct LeafImage: Sendable {
  static let headerBytes = 28
  static let formatVersion: UInt8 = 1

  let tree: UInt64
  /// W: the LSN below which the redo records of this range are in the image.
  let lsn: UInt64
  let low: [UInt8]
  let high: [UInt8]?
  let count: Int
  private let prefix: [UInt8]
  private let bytes: [UInt8]
  private let entriesOffset: Int

  /// Checks an image from end to end. Throws `.corruption`; never traps, whatever the bytes.
  init(decoding bytes: [UInt8]) throws(LugeError) {
    // The array outlives the closure; what is kept are copies and offsets.
    let decoded = unsafe bytes.withUnsafeBytes { unsafe LeafImage.decode($0) }
    guard let decoded else {
      throw LugeError(
        .corruption, "a leaf image has a good checksum and cannot be decoded",
        found: "\(bytes.count) bytes")
    }
    (tree, lsn, count) = (decoded.tree, decoded.lsn, decoded.count)
    (low, high, prefix) = (decoded.low, decoded.high, decoded.prefix)
    entriesOffset = decoded.entriesOffset
    self.bytes = bytes
  }

  private struct Decoded {
    var tree: UInt64
    var lsn: UInt64
    var count: Int
    var low: [UInt8]
    var high: [UInt8]?
    var prefix: [UInt8]
    var entriesOffset: Int
  }

  private static func decode(_ buffer: UnsafeRawBufferPointer) -> Decoded? {
    var reader = unsafe ByteReader(buffer)
    guard let tree = unsafe reader.readUInt64(), let lsn = unsafe reader.readUInt64(),
      let count = unsafe reader.readUInt32(), let lowCount = unsafe reader.readUInt16(),
      let highCount = unsafe reader.readUInt16(), let prefixCount = unsafe reader.readUInt16(),
      let flags = unsafe reader.readUInt8(), let version = unsafe reader.readUInt8(),
      version == formatVersion, flags <= 1, flags == 1 || highCount == 0,
      let low = unsafe reader.readSlice(Int(lowCount)),
      let high = unsafe reader.readSlice(Int(highCount)),
      let prefix = unsafe reader.readSlice(Int(prefixCount))
    else { return nil }
    let lowView = unsafe ByteView(low)
    let highView: ByteView? = unsafe flags == 1 ? ByteView(high) : nil
    if let highView, ByteView.compare(lowView, highView) >= 0 { return nil }
    let decoded = Decoded(
      tree: tree, lsn: lsn, count: Int(count), low: lowView.copy(), high: highView?.copy(),
      prefix: unsafe ByteView(prefix).copy(), entriesOffset: unsafe reader.position)
    guard unsafe checkEntries(&reader, decoded) else { return nil }
    return decoded
  }

  /// Lengths fit, keys ascend and lie within the bounds.
  private static func checkEntries(_ reader: inout ByteReader, _ image: Decoded) -> Bool {
    var last: ByteView? = nil
    var index = 0
    while index < image.count {
      guard let suffixCount = unsafe reader.readVarint(),
        let valueCount = unsafe reader.readVarint(),
        suffixCount <= UInt64(TreeSettings.longestKey - image.prefix.count),
        valueCount <= UInt64(TreeSettings.longestValue),
        let suffix = unsafe reader.readSlice(Int(suffixCount)),
        unsafe reader.readSlice(Int(valueCount)) != nil
      else { return false }
      let view = unsafe ByteView(suffix)
      if let last, ByteView.compare(last, view) >= 0 { return false }
      if index == 0 && compareKeys(image.prefix + view.copy(), image.low) < 0 { return false }
      last = view
      index += 1
    }
    if let last, let high = image.high, compareKeys(image.prefix + last.copy(), high) >= 0 {
      return false
    }
    return unsafe reader.isAtEnd
  }

  /// Calls `body` with each entry in key order; the views are good until it returns.
  func visitEntries(_ body: (_ key: ByteView, _ value: ByteView) -> Void) {
    var key = prefix
    let prefixCount = prefix.count
    // The array outlives the closure. `init` has checked everything that is read here.
    unsafe bytes.withUnsafeBytes { buffer in
      var reader = unsafe ByteReader(
        UnsafeRawBufferPointer(rebasing: buffer[entriesOffset...]))
      var index = 0
      while index < count {
        guard let suffixCount = unsafe reader.readVarint(),
          let valueCount = unsafe reader.readVarint(),
          let suffix = unsafe reader.readSlice(Int(suffixCount)),
          let value = unsafe reader.readSlice(Int(valueCount))
        else { preconditionFailure("a checked leaf image has changed") }
        if prefixCount == 0 {
          unsafe body(ByteView(suffix), ByteView(value))
        } else {
          key.removeLast(key.count - prefixCount)
          unsafe key.append(contentsOf: suffix)
          unsafe key.withUnsafeBytes { unsafe body(ByteView($0), ByteView(value)) }
        }
        index += 1
      }
    }
  }
}

extension LeafImage {
  /// The image of `count` records whose addresses ascend by key, none a tombstone.
  @unsafe
  static func encode(
    tree: UInt64, lsn: UInt64, low: ByteView, high: ByteView?, records: UnsafePointer<UInt64>,
    count: Int
  ) -> [UInt8] {
    let prefix = unsafe sharedPrefix(records, count)
    let size =
      unsafe headerBytes + low.count + (high?.count ?? 0) + prefix.count
      + entriesSize(records, count, prefix.count)
    return unsafe [UInt8](unsafeUninitializedCapacity: size) { buffer, done in
      // The writer checks every write against the size.
      var writer = unsafe RawWriter(UnsafeMutableRawBufferPointer(buffer))
      unsafe writer.write(tree)
      unsafe writer.write(lsn)
      unsafe writer.write(UInt32(count))
      unsafe write16(&writer, low.count)
      unsafe write16(&writer, high?.count ?? 0)
      unsafe write16(&writer, prefix.count)
      unsafe writer.write(high == nil ? 0 as UInt8 : 1)
      unsafe writer.write(formatVersion)
      unsafe writer.write(low.buffer)
      if let high { unsafe writer.write(high.buffer) }
      unsafe writer.write(prefix.buffer)
      var index = 0
      while index < count {
        let record = unsafe Record(address: records[index])
        let suffix = record.key.dropFirst(prefix.count)
        unsafe writer.writeVarint(UInt64(suffix.count))
        unsafe writer.writeVarint(UInt64(record.valueCount))
        unsafe writer.write(suffix.buffer)
        unsafe writer.write(record.value.buffer)
        index += 1
      }
      done = unsafe writer.count
    }
  }

  private static func write16(_ writer: inout RawWriter, _ value: Int) {
    unsafe writer.write(UInt8(truncatingIfNeeded: value))
    unsafe writer.write(UInt8(truncatingIfNeeded: value >> 8))
  }

  @unsafe
  private static func sharedPrefix(_ records: UnsafePointer<UInt64>, _ count: Int) -> ByteView {
    guard count > 0 else { return .empty }
    let first = unsafe Record(address: records[0]).key
    let last = unsafe Record(address: records[count - 1]).key
    return unsafe ByteView(first.base, count: ByteView.commonPrefix(first, last))
  }

  @unsafe
  private static func entriesSize(
    _ records: UnsafePointer<UInt64>, _ count: Int, _ prefix: Int
  ) -> Int {
    var size = 0
    var index = 0
    while index < count {
      let record = unsafe Record(address: records[index])
      let suffix = record.keyCount - prefix
      let value = record.valueCount
      size += varintSize(UInt64(suffix)) + varintSize(UInt64(value)) + suffix + value
      index += 1
    }
    return size
  }
}
