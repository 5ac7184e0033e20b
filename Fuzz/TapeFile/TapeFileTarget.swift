import SimulationFormats
import SimulationKit

/// Saved tapes: JSON that anyone may have edited, and tapes there and back.
///
/// What must hold: whatever is read is written to what is read as the same; a tape comes back from its file; a file that was
/// changed is refused, or is the same tape.
final class TapeFileTarget: FuzzTarget {
  static let name = "tape-file"
  static let summary = "saved tapes: hostile JSON, and there and back"
  static let longestInput = 4096

  init() {}

  func run(_ input: [UInt8]) throws {
    var reader = InputReader(input)
    if reader.flag() {
      try runHostile(reader.rest())
    } else {
      try runRoundTrip(&reader)
    }
  }

  private func runHostile(_ bytes: [UInt8]) throws(Finding) {
    guard let tape = Self.read(String(decoding: bytes, as: UTF8.self)) else { return }
    guard let text = try? tape.encoded(), let again = Self.read(text) else {
      throw Finding("a tape that was read cannot be written and read")
    }
    try require(again == tape, "a tape changes when it is written")
  }

  private static func read(_ text: String) -> TapeFile? {
    do throws(FormatError) { return try TapeFile(json: text) } catch { return nil }
  }

  private func runRoundTrip(_ reader: inout InputReader) throws(Finding) {
    let hasChoices = reader.flag()
    var names: [String] = []
    for _ in 0..<4 { names.append(String(decoding: reader.counted(most: 24), as: UTF8.self)) }
    let strategies: [StrategyName?] = [nil] + StrategyName.allCases.map { $0 }
    let strategy = strategies[reader.below(strategies.count)]
    let seed = reader.number(bytes: 8)
    let operations = Int(reader.number(bytes: 4))
    // How the file is changed.
    let changes = reader.counted(most: 30)
    var choices: [Choice] = []
    while reader.remaining > 0 {
      let bound = reader.number(bytes: 8)
      let value = reader.number(bytes: 8)
      choices.append(
        Choice(
          lane: names[reader.below(4)], label: names[reader.below(4)], bound: bound,
          value: bound == 0 ? value : value % bound, beginsGroup: reader.flag()))
    }
    let tape = TapeFile(
      scenario: names[0], engine: names[1], operations: operations, seed: seed,
      property: names[2], detail: names[3], choices: hasChoices ? choices : nil,
      strategy: strategy)
    guard let text = try? tape.encoded() else { throw Finding("a tape cannot be written") }
    try require(Self.read(text) == tape, "a tape does not come back from its file")
    var bytes = Array(text.utf8)
    var edits = InputReader(changes)
    while edits.remaining > 0 {
      bytes[edits.below(min(bytes.count, 1 << 16))] ^= 1 << UInt8(edits.below(8))
    }
    if let found = Self.read(String(decoding: bytes, as: UTF8.self)) {
      try require(found == tape, "a file that was changed is another tape")
    }
  }

  func seeds() -> [[UInt8]] {
    var seeds: [[UInt8]] = []
    let tape = TapeFile(
      scenario: "words", engine: "luge", operations: 9, seed: .max, property: "count",
      detail: "\"a\"\n\u{1F9CA}",
      choices: [
        Choice(lane: "client.2", label: "kind", bound: 7, value: 3, beginsGroup: true),
        Choice(lane: "disk", label: "cut", bound: 1 << 60, value: 1 << 59),
      ], strategy: .pct, build: "release")
    if let text = try? tape.encoded() { seeds.append([1] + Array(text.utf8)) }
    var writer = InputWriter()
    writer.append([0, 1])
    for name in ["client.1", "luge", "operation", "detail"] { writer.counted(Array(name.utf8)) }
    writer.byte(1)
    writer.number(77, bytes: 8)
    writer.number(30, bytes: 4)
    writer.counted([])
    for number in UInt64(1)..<6 {
      writer.number(number << 40, bytes: 8)
      writer.number(number, bytes: 8)
      writer.append([0, 2, 1])
    }
    seeds.append(writer.bytes)
    return seeds
  }
}
