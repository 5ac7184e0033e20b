/// What a run has done so far.
struct Tally {
  var rounds = 0
  var directories = 0
  var acknowledged = 0
  var flushes = 0
  var checkpoints = 0
  var cleanings = 0
  /// Openings whose contents were read and judged.
  var checked = 0
  var entries = 0
  /// Of the space that was allowed, in thousandths, the most that was taken.
  var fullest = 0
  var kills = [Int](repeating: 0, count: KillPlace.allCases.count)
  var processorNanoseconds: UInt64 = 0
  var nanoseconds: UInt64 = 0

  subscript(place: KillPlace) -> Int {
    get { kills[place.rawValue] }
    set { kills[place.rawValue] = newValue }
  }

  var processorSeconds: Double { Double(processorNanoseconds) / 1e9 }
  var seconds: Double { Double(nanoseconds) / 1e9 }
  var rate: Int { seconds > 0 ? Int(Double(acknowledged) / seconds) : 0 }

  /// Rounds from which on no place may be left out.
  static let enough = 200

  /// Places that no kill has struck though there were rounds enough.
  func neverStruck(hasCheckpoints: Bool) -> [KillPlace] {
    guard rounds >= Self.enough else { return [] }
    var places: [KillPlace] = [.open, .recovery, .flush, .elsewhere]
    if hasCheckpoints { places.append(.checkpoint) }
    return places.filter { self[$0] == 0 }
  }

  func text(_ name: String, engine: String, seed: UInt64) -> String {
    let struck = KillPlace.allCases.map { "\($0.name) \(self[$0])" }.joined(separator: ", ")
    return """
      \(name): \(rounds) rounds of \(engine), seed \(seed), \(directories) directories
        acknowledged  \(acknowledged) operations, \(flushes) flushes, \(checkpoints) checkpoints, \
      \(cleanings) cleanings
        kills         \(struck)
        read          \(checked) openings with \(entries) entries; at most \(Self.percent(fullest)) of the \
      space allowed
        effort        \(Self.short(seconds)) s, \(Self.short(processorSeconds)) CPU s, \
      \(rate) acknowledged operations a second
      """
  }

  func json(_ name: String, engine: String, seed: UInt64, failures: [String]) -> String {
    var lines = [
      "  \"subject\" : \(Self.quoted(name))", "  \"engine\" : \(Self.quoted(engine))",
      "  \"seed\" : \(seed)", "  \"rounds\" : \(rounds)", "  \"directories\" : \(directories)",
      "  \"acknowledged\" : \(acknowledged)", "  \"flushes\" : \(flushes)",
      "  \"checkpoints\" : \(checkpoints)", "  \"cleanings\" : \(cleanings)",
      "  \"spaceThousandths\" : \(fullest)", "  \"checked\" : \(checked)",
      "  \"entries\" : \(entries)",
    ]
    for place in KillPlace.allCases {
      lines.append(
        "  \"killsIn\(place.name.first!.uppercased())\(place.name.dropFirst())\" : "
          + "\(self[place])")
    }
    lines.append("  \"seconds\" : \(Self.short(seconds))")
    lines.append("  \"cpuSeconds\" : \(Self.short(processorSeconds))")
    lines.append("  \"operationsPerSecond\" : \(rate)")
    lines.append(
      "  \"failures\" : [" + failures.map(Self.quoted).joined(separator: ", ") + "]")
    lines.append("  \"verdict\" : \"\(failures.isEmpty ? "held" : "violated")\"")
    return "{\n" + lines.joined(separator: ",\n") + "\n}"
  }

  private static func percent(_ thousandths: Int) -> String { "\((thousandths + 9) / 10) %" }

  private static func short(_ seconds: Double) -> String {
    let tenths = Int((seconds * 10).rounded())
    return "\(tenths / 10).\(tenths % 10)"
  }

  private static func quoted(_ text: String) -> String {
    var result = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": result += "\\\""
      case "\\": result += "\\\\"
      case "\n": result += "\\n"
      default:
        if scalar.value < 0x20 {
          result += "\\u00" + (scalar.value < 16 ? "0" : "") + String(scalar.value, radix: 16)
        } else {
          result.unicodeScalars.append(scalar)
        }
      }
    }
    return result + "\""
  }
}
