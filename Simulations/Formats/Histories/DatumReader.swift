/// Reads values of JSON or EDN from bytes, one after another. It throws what is wrong, and never traps.
struct DatumReader {
  /// How the two differ for us: in JSON the colon parts a name from its value, in EDN it begins a keyword, and
  /// a number sign a tag.
  let isEDN: Bool
  let bytes: [UInt8]
  private(set) var place: Int
  let end: Int
  private var depth = 0

  /// Reads `bytes` from `place` to before `end`.
  init(_ bytes: [UInt8], isEDN: Bool, from place: Int, to end: Int) {
    self.bytes = bytes
    self.isEDN = isEDN
    self.place = place
    self.end = end
  }

  static let mostDepth = 64

  /// Passes over what parts values; false at the end.
  mutating func skipSpace() -> Bool {
    while place < end {
      let byte = bytes[place]
      if byte == 0x20 || (byte >= 0x09 && byte <= 0x0D) || (byte == 0x2C && isEDN) {
        place += 1
      } else if byte == 0x3B && isEDN {
        while place < end && bytes[place] != 0x0A { place += 1 }
      } else {
        return true
      }
    }
    return false
  }

  /// The next byte that is no space; nil at the end.
  mutating func peek() -> UInt8? { skipSpace() ? bytes[place] : nil }

  /// Passes over this byte if it comes next.
  mutating func take(_ byte: UInt8) -> Bool {
    guard peek() == byte else { return false }
    place += 1
    return true
  }

  mutating func value() throws(FormatError) -> Datum {
    guard let byte = peek() else { throw FormatError("it ends in the middle") }
    switch byte {
    case 0x22: return .text(try string())
    case 0x5B, 0x28: return try list()
    case 0x7B: throw FormatError("a map where a value should be")
    case 0x23 where isEDN:
      place += 1
      _ = word()
      return try value()
    case 0x3A where isEDN:
      place += 1
      return .text(Array(word()))
    default: return try plain()
    }
  }

  /// Where the bytes of the name are that comes next, if it is a keyword or a string without escapes: passed over, and
  /// not copied. Nil where something else comes.
  mutating func name() -> Range<Int>? {
    guard let byte = peek() else { return nil }
    if byte == 0x3A && isEDN {
      place += 1
      let word = word()
      return word.startIndex..<word.endIndex
    }
    if byte != 0x22 { return nil }
    var at = place + 1
    while at < end && bytes[at] != 0x22 && bytes[at] != 0x5C { at += 1 }
    if at == end || bytes[at] != 0x22 { return nil }
    let start = place + 1
    place = at + 1
    return start..<at
  }

  /// Whether these bytes are this text.
  func has(_ text: StaticString, at range: Range<Int>) -> Bool {
    if range.count != text.utf8CodeUnitCount { return false }
    var index = 0
    while index < range.count {
      // Within the literal, whose length was compared.
      if unsafe bytes[range.lowerBound + index] != text.utf8Start[index] { return false }
      index += 1
    }
    return true
  }

  /// Passes over a number sign and the word after it.
  mutating func skipTag() throws(FormatError) {
    guard take(0x23) else { throw FormatError("no tag begins here") }
    _ = word()
  }

  private mutating func list() throws(FormatError) -> Datum {
    if depth == DatumReader.mostDepth { throw FormatError("lists too deep in one another") }
    depth += 1
    defer { depth -= 1 }
    let close: UInt8 = bytes[place] == 0x5B ? 0x5D : 0x29
    place += 1
    var list: [Datum] = []
    while !take(close) {
      if !isEDN && !list.isEmpty && !take(0x2C) { throw FormatError("a comma is missing") }
      list.append(try value())
    }
    return .list(list)
  }

  /// The bytes of a word: up to space, bracket, comma, colon (JSON) or quote.
  private mutating func word() -> ArraySlice<UInt8> {
    let start = place
    while place < end {
      switch bytes[place] {
      case 0x20, 0x09...0x0D, 0x2C, 0x22, 0x28, 0x29, 0x5B, 0x5D, 0x7B, 0x7D:
        return bytes[start..<place]
      case 0x3A where !isEDN: return bytes[start..<place]
      default: place += 1
      }
    }
    return bytes[start..<place]
  }

  private mutating func plain() throws(FormatError) -> Datum {
    let start = place
    let word = word()
    guard let first = word.first else {
      throw FormatError("unexpected \"\(String(decoding: bytes[start...start], as: UTF8.self))\"")
    }
    if first == 0x2D || (first >= 0x30 && first <= 0x39) {
      if let number = DatumReader.integer(word) { return .number(number) }
      // A fraction or a large number: only its text counts.
      return .text(Array(word))
    }
    switch String(decoding: word, as: UTF8.self) {
    case "null", "nil": return .nothing
    case "true": return .flag(true)
    case "false": return .flag(false)
    default:
      if isEDN { return .text(Array(word)) }
      throw FormatError("\"\(String(decoding: word.prefix(40), as: UTF8.self))\" is no value")
    }
  }

  private static func integer(_ word: ArraySlice<UInt8>) -> Int? {
    var index = word.startIndex
    let isNegative = word[index] == 0x2D
    if isNegative { index += 1 }
    if index == word.endIndex || word.endIndex - index > 18 { return nil }
    var number = 0
    while index < word.endIndex {
      let digit = word[index] &- 0x30
      if digit > 9 { return nil }
      number = number * 10 + Int(digit)
      index += 1
    }
    return isNegative ? -number : number
  }

  /// The bytes of a string, escapes resolved.
  mutating func string() throws(FormatError) -> [UInt8] {
    place += 1
    let start = place
    while place < end && bytes[place] != 0x22 && bytes[place] != 0x5C { place += 1 }
    if place < end && bytes[place] == 0x22 {
      place += 1
      return Array(bytes[start..<place - 1])
    }
    var text = Array(bytes[start..<place])
    while place < end {
      let byte = bytes[place]
      place += 1
      if byte == 0x22 { return text }
      if byte != 0x5C {
        text.append(byte)
        continue
      }
      try escape(into: &text)
    }
    throw FormatError("a string that does not end")
  }

  private mutating func escape(into text: inout [UInt8]) throws(FormatError) {
    guard place < end else { throw FormatError("a string that does not end") }
    let byte = bytes[place]
    place += 1
    switch byte {
    case 0x6E: text.append(0x0A)
    case 0x74: text.append(0x09)
    case 0x72: text.append(0x0D)
    case 0x62: text.append(0x08)
    case 0x66: text.append(0x0C)
    case 0x22, 0x2F, 0x5C: text.append(byte)
    case 0x75:
      var code = try hexadecimal()
      let left = end - place
      if code >> 10 == 0x36, left == 0 || (left == 1 && bytes[place] == 0x5C) {
        // The other half of the character may come with the next piece of the file.
        place = end
        throw FormatError("a string that does not end")
      }
      if code >> 10 == 0x36, left > 1, bytes[place] == 0x5C, bytes[place + 1] == 0x75 {
        place += 2
        code = 0x10000 + (code & 0x3FF) << 10 + (try hexadecimal()) & 0x3FF
      }
      guard let scalar = Unicode.Scalar(code) else { throw FormatError("half a character") }
      text.append(contentsOf: Array(String(Character(scalar)).utf8))
    default: throw FormatError("an escape that there is not")
    }
  }

  private mutating func hexadecimal() throws(FormatError) -> UInt32 {
    var code: UInt32 = 0
    var left = 4
    while left > 0 {
      guard place < end, let digit = Character(Unicode.Scalar(bytes[place])).hexDigitValue else {
        throw FormatError("an escape that is cut off")
      }
      code = code << 4 | UInt32(digit)
      place += 1
      left -= 1
    }
    return code
  }
}
