/// One change of an image, eight bytes of the input:
///
///     OFFSET SIZE DESCRIPTION
///          0    1 bits 0-3 what is done; bit 6 in any place of a file, else in a structure; bit 7 the checksum
///                 of the structure is put right afterwards
///          1    2 which structure, or file
///          3    2 where in it; of a file, in units of eight bytes
///          5    3 with what
struct ImageEdit {
  static let bytes = 8
  static let repairs: UInt8 = 0x80
  private static let anywhere: UInt8 = 0x40

  private let operation: UInt8
  private let target: Int
  private let offset: Int
  private let operand: UInt64

  init(_ reader: inout InputReader) {
    operation = reader.byte()
    target = Int(reader.number(bytes: 2))
    offset = Int(reader.number(bytes: 2))
    operand = reader.number(bytes: 3)
  }

  /// It may change two structures at once.
  var isWide: Bool { operation & 0x0F == 9 }

  /// Inputs in pieces of one change each; the last may be shorter, and is filled up.
  static func split(_ input: [UInt8]) -> [[UInt8]] {
    var edits: [[UInt8]] = []
    var place = 0
    while place < input.count {
      var edit = Array(input[place..<min(input.count, place + bytes)])
      while edit.count < bytes { edit.append(0) }
      edits.append(edit)
      place += bytes
    }
    return edits
  }

  /// Numbers at the edges of what fields hold.
  private static let telling: [UInt64] = [
    0, 1, 2, 7, 8, 0x7F, 0x80, 0xFF, 0x100, 0xFFF, 0x1000, 0x1001, 0x4000, 0xFFFF, 0x1_0000,
    0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFF, 1 << 32, 1 << 40, 1 << 41, 1 << 62, 1 << 62 + 1, 1 << 63,
    .max - 7, .max - 1, .max,
  ]

  /// False where no checksum could tell of the change.
  func apply(
    to files: inout [(name: String, bytes: [UInt8])], _ image: DatabaseImage
  ) -> Bool {
    if files.isEmpty { return true }
    if operation & 0x0F >= 12 { return applyToFile(&files, image) }
    let isAnywhere = operation & Self.anywhere != 0 || image.spans.isEmpty
    let span = isAnywhere ? nil : image.spans[target % image.spans.count]
    let file = span?.file ?? target % files.count
    guard file < files.count, !files[file].bytes.isEmpty else { return true }
    var bytes = files[file].bytes
    // Its memory stays with the image: the first change copies it.
    let start = span.map { $0.start + offset % $0.length } ?? offset * 8 % bytes.count
    if start >= bytes.count { return true }
    change(&bytes, at: start, span, image, files)
    var isTold = operation & 0x0F != 8
    if operation & Self.repairs != 0, let span {
      span.repair(&bytes)
      isTold = false
    }
    files[file].bytes = bytes
    return isTold
  }

  private func change(
    _ bytes: inout [UInt8], at start: Int, _ span: ImageSpan?, _ image: DatabaseImage,
    _ files: [(name: String, bytes: [UInt8])]
  ) {
    let byte = UInt8(truncatingIfNeeded: operand)
    switch operation & 0x0F {
    case 0, 1: bytes[start] ^= byte == 0 ? 1 : byte
    case 2: bytes[start] = byte
    case 3: bytes[start] = bytes[start] &+ (operand & 0x100 == 0 ? 1 : 255)
    case 4, 5:
      let width = [2, 4, 8, 8][Int(operand >> 8) & 3]
      store(Self.telling[Int(byte) % Self.telling.count], width, &bytes, start)
    case 6: store(load(8, bytes, start) &+ operand, 8, &bytes, start)
    case 7: store(load(8, bytes, start) &- operand, 8, &bytes, start)
    case 8:
      // Eight bytes of another structure: an address that there is, an LSN.
      let other = image.spans[Int(operand & 0xFFFF) % image.spans.count]
      guard other.file < files.count else { return }
      store(
        load(8, files[other.file].bytes, other.start + Int(operand >> 16) % other.length), 8,
        &bytes,
        start)
    case 9:
      // Zeros, as where a write was lost.
      let end = min(bytes.count, start + 1 + Int(operand % 4096))
      for index in start..<end { bytes[index] = 0 }
    case 10: store(operand, 3, &bytes, start)
    default:
      // A varint longer, or shorter.
      bytes[start] ^= 0x80
    }
  }

  /// Whole files: cut, lengthened, lost, put in the place of another.
  private func applyToFile(
    _ files: inout [(name: String, bytes: [UInt8])], _ image: DatabaseImage
  ) -> Bool {
    let file = target % files.count
    let count = files[file].bytes.count
    switch operation & 0x1F {
    case 12, 28:
      files[file].bytes.removeLast(min(count, 1 + offset))
      return true
    case 13, 29:
      files[file].bytes += [UInt8](
        repeating: UInt8(truncatingIfNeeded: operand), count: 1 + offset % 8192)
      return true
    case 14: files.remove(at: file)
    case 30: files[file].bytes = files[offset % files.count].bytes
    case 15:
      // Under the name of the next one of its kind.
      var name = Array(files[file].name.utf8)
      if let last = name.popLast() { name.append(last == 0x39 ? 0x61 : last &+ 1) }
      let text = String(decoding: name, as: UTF8.self)
      if !files.contains(where: { $0.name == text }) {
        files.append((text, files[file].bytes))
      }
    default: swap(file, offset % files.count, &files)
    }
    return false
  }

  private func swap(
    _ one: Int, _ other: Int, _ files: inout [(name: String, bytes: [UInt8])]
  ) {
    let bytes = files[one].bytes
    files[one].bytes = files[other].bytes
    files[other].bytes = bytes
  }

  private func load(_ width: Int, _ bytes: [UInt8], _ start: Int) -> UInt64 {
    var value: UInt64 = 0
    for index in 0..<width where start + index < bytes.count {
      value |= UInt64(bytes[start + index]) << UInt64(8 * index)
    }
    return value
  }

  private func store(_ value: UInt64, _ width: Int, _ bytes: inout [UInt8], _ start: Int) {
    for index in 0..<width where start + index < bytes.count {
      bytes[start + index] = UInt8(truncatingIfNeeded: value >> UInt64(8 * index))
    }
  }
}
