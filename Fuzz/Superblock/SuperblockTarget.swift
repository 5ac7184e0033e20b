import Platform

@testable import Luge

/// The heads of files: superblocks, headers of redo, page and value segments, names of segments. The first byte says
/// which, and whether the checksum is put right, so that what is behind it is met.
///
/// What must hold: what is accepted is encoded to what is read as the same; a wrong checksum is never accepted; a
/// file of two slots gives the newest copy that is sound, or an error.
final class SuperblockTarget: FuzzTarget {
  static let name = "superblock"
  static let summary = "superblocks and the headers of segment files, checksums put right or not"
  static let longestInput = 4096

  init() {}

  func run(_ input: [UInt8]) throws {
    var reader = InputReader(input)
    let mode = reader.byte()
    let repairs = mode & 0x80 == 0
    switch mode % 5 {
    case 0: try runSuperblock(reader.rest(), repairs: repairs)
    case 1: try runRedoHeader(reader.rest(), repairs: repairs)
    case 2: try runPageHeader(reader.rest(), mode & 0x40 == 0 ? .pages : .values, repairs: repairs)
    case 3: try runFile(&reader)
    default: try runName(reader.rest())
    }
  }

  /// As long as it must be.
  static func sized(_ bytes: [UInt8], _ count: Int) -> [UInt8] {
    bytes.count >= count
      ? Array(bytes[..<count]) : bytes + [UInt8](repeating: 0, count: count - bytes.count)
  }

  private func runSuperblock(_ input: [UInt8], repairs: Bool) throws(Finding) {
    var bytes = Self.sized(input, Superblock.copyBytes)
    if repairs { Repair.superblock(&bytes, at: 0) }
    guard case .valid(let block) = Superblock.decode(bytes) else { return }
    try require(Repair.isRight(superblock: bytes), "a wrong checksum is accepted")
    // Whatever it says: sums are made with these numbers by those who ask first.
    _ = block.violation
    try require(
      Superblock.decode(block.encoded()) == .valid(block), "a superblock changes when it is written"
    )
  }

  private func runRedoHeader(_ input: [UInt8], repairs: Bool) throws(Finding) {
    var bytes = Self.sized(input, RedoSegmentHeader.bytes)
    if repairs { Repair.redoHeader(&bytes, at: 0) }
    guard case .valid(let header) = RedoSegmentHeader.decode(bytes) else { return }
    let again = header.encoded()
    try require(RedoSegmentHeader.decode(again) == .valid(header), "a header changes")
    try require(header.replaces(header), "a header does not replace its like")
  }

  private func runPageHeader(
    _ input: [UInt8], _ family: SegmentFamily, repairs: Bool
  ) throws(Finding) {
    var bytes = Self.sized(input, PageFormat.segmentHeaderBytes)
    if repairs { Repair.pageHeader(&bytes, at: 0) }
    guard case .valid(let serial) = PageFormat.decodeSegmentHeader(bytes, family) else { return }
    let block = PageFormat.segmentHeader(family, serial: serial)
    for offset in PageFormat.copyOffsets {
      let copy = Array(block[offset..<offset + PageFormat.segmentHeaderBytes])
      try require(
        PageFormat.decodeSegmentHeader(copy, family) == .valid(serial: serial), "a header changes")
    }
  }

  /// A whole file: four copies, each of the input's bytes in turn, some with right checksums.
  private func runFile(_ reader: inout InputReader) throws {
    let repairs = reader.byte()
    let length = reader.below(3) == 2 ? reader.below(4 * Superblock.copyBytes) : nil
    var bytes: [UInt8] = []
    var newest: UInt64 = 0
    var isNewer = false
    for copy in 0..<4 {
      var block = Self.sized(reader.counted(most: 200), Superblock.copyBytes)
      if repairs >> UInt8(copy) & 1 == 1 { Repair.superblock(&block, at: 0) }
      switch Superblock.decode(block) {
      case .valid(let found): newest = max(newest, found.sequence)
      case .newer: isNewer = true
      case .damaged, .foreign: break
      }
      bytes += block
    }
    let files = InMemoryFileSystem()
    try files.createDirectory("/db")
    let file = try files.open("/db/SUPERBLOCK", .createNew)
    try file.writeFully(length.map { Self.sized(bytes, $0) } ?? bytes, at: 0)
    file.close()
    let store = SuperblockStore(files: files, directory: "/db")
    let loaded: Superblock?
    do throws(LugeError) {
      loaded = try store.load()
    } catch {
      let expected: [LugeError.Code] = [.corruption, .notADatabase, .unsupportedVersion]
      try require(expected.contains(error.code), "an error of another kind: \(error)")
      return
    }
    guard let block = loaded else { throw Finding("a file that is there is not seen") }
    try require(block.sequence == newest, "not the newest superblock")
    try require(block.violation == nil, "a superblock that cannot be is taken")
    try require(length == nil && !isNewer, "a file that is cut short, or newer, is taken")
  }

  private func runName(_ bytes: [UInt8]) throws(Finding) {
    let name = String(decoding: bytes, as: UTF8.self)
    for prefix in ["redo-", "page-", "value-"] {
      guard let serial = SegmentName.serial(prefix, name) else { continue }
      try require(SegmentName.make(prefix, serial) == name, "a name that is not made is taken")
    }
  }
}
