internal import EngineKit
internal import HistoryKit
internal import Platform

/// The reference engine's file: the whole contents, in one piece. Integers are little-endian.
///
///     OFFSET  SIZE  FIELD
///     0       8     "LUGEREF1"
///     8       8     ids below this number may have been given out
///     16      4     number of trees
///     20            trees, each:
///             4+n     length and UTF-8 bytes of the name
///             8       number of entries, ascending in key, each:
///             4+n       length and bytes of the key
///             4+n       length and bytes of the value
///     end-4   4     CRC-32C of everything before
///
/// Valid if and only if: the marker is right; the checksum is right; every length stays inside; nothing
/// is left over.
struct ReferenceImage {
  static let marker: [UInt8] = Array("LUGEREF1".utf8)

  var contents = OrderedModel()
  var reservedIDs: UInt64 = 0

  func encoded() -> [UInt8] {
    var bytes = Self.marker
    Self.append(reservedIDs, 8, to: &bytes)
    Self.append(UInt64(contents.trees.count), 4, to: &bytes)
    for tree in contents.trees {
      Self.append(Array(tree.name.utf8), to: &bytes)
      Self.append(UInt64(tree.keys.count), 8, to: &bytes)
      var place = 0
      while place < tree.keys.count {
        Self.append(tree.keys[place], to: &bytes)
        Self.append(tree.values[place], to: &bytes)
        place += 1
      }
    }
    Self.append(UInt64(Self.checksum(bytes, bytes.count)), 4, to: &bytes)
    return bytes
  }

  /// What a reader makes of these bytes that neither looks at the checksum nor minds where they end: for an engine
  /// that is wrong on purpose.
  init(trusting bytes: [UInt8]) {
    try? read(bytes)
  }

  /// Throws `.corruption` for bytes that `encoded` did not make.
  init(decoding bytes: [UInt8]) throws(EngineError) {
    guard bytes.count >= 24, bytes.starts(with: Self.marker) else {
      throw EngineError(.corruption, "this is no file of the reference engine")
    }
    var trailer = Reader(bytes: bytes, at: bytes.count - 4, end: bytes.count)
    guard try trailer.number(4) == UInt64(Self.checksum(bytes, bytes.count - 4)) else {
      throw EngineError(.corruption, "the checksum of the contents is wrong")
    }
    try read(bytes)
  }

  private mutating func read(_ bytes: [UInt8]) throws(EngineError) {
    if bytes.count < 24 { return }
    var reader = Reader(bytes: bytes, end: bytes.count - 4)
    reader.place = 8
    reservedIDs = try reader.number(8)
    var trees = try reader.number(4)
    while trees > 0 {
      let name = String(decoding: try reader.run(), as: UTF8.self)
      contents.makeTree(name)
      var entries = try reader.number(8)
      while entries > 0 {
        let key = try reader.run()
        _ = contents.set(try reader.run(), for: key, in: name)
        entries -= 1
      }
      trees -= 1
    }
    guard reader.place == reader.end else {
      throw EngineError(.corruption, "\(reader.end - reader.place) bytes are left over")
    }
  }

  init(contents: OrderedModel = OrderedModel(), reservedIDs: UInt64 = 0) {
    self.contents = contents
    self.reservedIDs = reservedIDs
  }

  private static func checksum(_ bytes: [UInt8], _ count: Int) -> UInt32 {
    // The span is used inside this call only.
    unsafe crc32c(bytes.span.extracting(0..<count).bytes)
  }

  private static func append(_ number: UInt64, _ size: Int, to bytes: inout [UInt8]) {
    var rest = number
    for _ in 0..<size {
      bytes.append(UInt8(truncatingIfNeeded: rest))
      rest >>= 8
    }
  }

  private static func append(_ run: [UInt8], to bytes: inout [UInt8]) {
    append(UInt64(run.count), 4, to: &bytes)
    bytes.append(contentsOf: run)
  }

  private struct Reader {
    let bytes: [UInt8]
    var place: Int
    let end: Int

    init(bytes: [UInt8], at place: Int = 0, end: Int) {
      self.bytes = bytes
      self.place = place
      self.end = end
    }

    mutating func number(_ size: Int) throws(EngineError) -> UInt64 {
      try need(UInt64(size))
      var number: UInt64 = 0
      var byte = size - 1
      while byte >= 0 {
        number = number << 8 | UInt64(bytes[place + byte])
        byte -= 1
      }
      place += size
      return number
    }

    mutating func run() throws(EngineError) -> [UInt8] {
      let count = try number(4)
      try need(count)
      let run = Array(bytes[place..<place + Int(count)])
      place += Int(count)
      return run
    }

    private func need(_ count: UInt64) throws(EngineError) {
      if count > UInt64(max(0, end - place)) {
        throw EngineError(.corruption, "a length leads out of the file")
      }
    }
  }
}
