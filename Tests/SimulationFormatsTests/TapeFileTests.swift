import SimulationFormats
import SimulationKit
import Testing

@Suite struct TapeFileTests {
  private func sample(choices: Bool = true) -> TapeFile {
    TapeFile(
      scenario: "ycsb-a", engine: "reference", operations: 1000, seed: .max,
      property: "durability", detail: "key \"k17\" lost",
      choices: choices
        ? [
          Choice(
            lane: "client", label: "operation", bound: .max, value: .max - 1, beginsGroup: true),
          Choice(lane: "client.11", label: "key", bound: 2, value: 1),
          Choice(lane: "client", label: "key", bound: 100, value: 0),
        ] : nil)
  }

  @Test func comesBackAsItWas() throws {
    for choices in [true, false] {
      let tape = sample(choices: choices)
      #expect(try TapeFile(json: tape.encoded()) == tape)
    }
  }

  /// Every byte that is changed is noticed, or changes nothing that is read (as a field's order).
  @Test func damageIsNoticed() throws {
    let tape = sample()
    let bytes = Array(try tape.encoded().utf8)
    for index in bytes.indices {
      for change: UInt8 in [1, 2, 4, 16] {
        var damaged = bytes
        damaged[index] ^= change
        let read = try? TapeFile(json: String(decoding: damaged, as: UTF8.self))
        #expect(read == nil || read == tape, "byte \(index) changed by \(change)")
      }
    }
  }

  @Test func everyTruncationIsOneClearError() throws {
    let text = try sample().encoded()
    for count in 0..<text.utf8.count - 1 {
      #expect(throws: FormatError.self) {
        try TapeFile(json: String(decoding: Array(text.utf8.prefix(count)), as: UTF8.self))
      }
    }
  }

  @Test func anUnknownFormatIsNamed() throws {
    let text = try sample().encoded().replacing("\"format\":1", with: "\"format\":2")
    let error = #expect(throws: FormatError.self) { try TapeFile(json: text) }
    #expect(error?.description.contains("format 2") == true)
  }

  @Test func otherJSONIsRefused() {
    for text in [
      "", "[]", "{}", "{\"format\":1}", "{\"format\":\"1\"}", "null", "{\"format\":1e99}",
    ] {
      #expect(throws: FormatError.self) { try TapeFile(json: text) }
    }
  }
}
