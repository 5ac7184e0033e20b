import Testing

@testable import lugectl

/// How bytes are shown and read.
@Suite struct ByteTextTests {
  private let text = ByteText(isHexadecimal: false)
  private let hexadecimal = ByteText(isHexadecimal: true)

  @Test(arguments: [
    ("plain", "plain"), ("tab\there", "tab\\there"), ("a\\b", "a\\\\b"), ("Ä€😀", "Ä€😀"),
    ("line\r\n", "line\\r\\n"), ("\u{7F}", "\\x7f"), ("\u{200B}", "\\xe2\\x80\\x8b"), ("", ""),
  ])
  func rendersText(_ value: String, _ shown: String) {
    #expect(text.render(Array(value.utf8)) == shown)
  }

  @Test(arguments: [
    ([0xFF], "\\xff"), ([0x41, 0xC3], "A\\xc3"), ([0xC0, 0x80], "\\xc0\\x80"),
    ([0xED, 0xA0, 0x80], "\\xed\\xa0\\x80"), ([0xF5, 0x80, 0x80, 0x80], "\\xf5\\x80\\x80\\x80"),
    ([0xC3, 0xA4, 0xA4], "ä\\xa4"),
  ])
  func rendersWhatIsNoText(_ value: [UInt8], _ shown: String) {
    #expect(text.render(value) == shown)
  }

  /// All pairs of bytes: no two share a text. Compared byte by byte: equal strings may differ.
  @Test func differentBytesLookDifferent() {
    var seen: Set<[UInt8]> = []
    for first in 0...255 {
      for second in 0...255 {
        seen.insert(Array(text.render([UInt8(first), UInt8(second)]).utf8))
      }
    }
    #expect(seen.count == 256 * 256)
  }

  @Test func hexadecimalComesBack() throws {
    let bytes = [UInt8](0...255)
    #expect(try hexadecimal.parse(hexadecimal.render(bytes), "the key") == bytes)
    #expect(try hexadecimal.parse("fF00", "the key") == [255, 0])
    #expect(throws: UsageFailure.self) { try hexadecimal.parse("abc", "the key") }
    #expect(throws: UsageFailure.self) { try hexadecimal.parse("é0", "the key") }
    #expect(try text.parse("é", "the key") == [0xC3, 0xA9])
  }
}
