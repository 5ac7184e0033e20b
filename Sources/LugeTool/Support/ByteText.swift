/// How bytes look on the command line: text with escapes, or hexadecimal digits.
struct ByteText {
  var isHexadecimal: Bool

  private static let digits = Array("0123456789abcdef".utf8)

  /// Different bytes never give the same text: a backslash itself is escaped, and what is not
  /// printable UTF-8 appears byte for byte.
  func render(_ bytes: [UInt8]) -> String {
    var text: [UInt8] = []
    text.reserveCapacity(bytes.count)
    if isHexadecimal {
      for byte in bytes {
        text.append(Self.digits[Int(byte >> 4)])
        text.append(Self.digits[Int(byte & 15)])
      }
      return String(decoding: text, as: UTF8.self)
    }
    var index = 0
    while index < bytes.count {
      let length = Self.printableLength(bytes, at: index)
      if length > 0, bytes[index] != UInt8(ascii: "\\") {
        text.append(contentsOf: bytes[index..<index + length])
        index += length
      } else {
        Self.escape(bytes[index], into: &text)
        index += 1
      }
    }
    return String(decoding: text, as: UTF8.self)
  }

  private static func escape(_ byte: UInt8, into text: inout [UInt8]) {
    text.append(UInt8(ascii: "\\"))
    switch byte {
    case UInt8(ascii: "\\"): text.append(UInt8(ascii: "\\"))
    case UInt8(ascii: "\n"): text.append(UInt8(ascii: "n"))
    case UInt8(ascii: "\t"): text.append(UInt8(ascii: "t"))
    case UInt8(ascii: "\r"): text.append(UInt8(ascii: "r"))
    default:
      text.append(UInt8(ascii: "x"))
      text.append(digits[Int(byte >> 4)])
      text.append(digits[Int(byte & 15)])
    }
  }

  /// The length of the well-formed, printable character of UTF-8 at `index`; 0 where there is none.
  private static func printableLength(_ bytes: [UInt8], at index: Int) -> Int {
    let first = bytes[index]
    if first < 0x80 { return first >= 0x20 && first != 0x7F ? 1 : 0 }
    let length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2
    guard first >= 0xC2, index + length <= bytes.count,
      let text = String(validating: bytes[index..<index + length], as: UTF8.self),
      let scalar = text.unicodeScalars.first, text.unicodeScalars.count == 1
    else { return 0 }
    switch scalar.properties.generalCategory {
    case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator,
      .paragraphSeparator:
      return 0
    default: return length
    }
  }

  /// The bytes that an argument stands for. `what` names it in the error.
  func parse(_ argument: String, _ what: String) throws(UsageFailure) -> [UInt8] {
    if !isHexadecimal { return Array(argument.utf8) }
    var bytes: [UInt8] = []
    var high: UInt8?
    for character in argument.utf8 {
      guard let digit = Self.value(of: character) else {
        throw UsageFailure("\(what) \"\(argument)\" is not made of hexadecimal digits")
      }
      if let former = high {
        bytes.append(former << 4 | digit)
        high = nil
      } else {
        high = digit
      }
    }
    if high != nil {
      throw UsageFailure("\(what) \"\(argument)\" has an odd number of hexadecimal digits")
    }
    return bytes
  }

  private static func value(of character: UInt8) -> UInt8? {
    switch character {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): character - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): character - UInt8(ascii: "a") + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): character - UInt8(ascii: "A") + 10
    default: nil
    }
  }
}
