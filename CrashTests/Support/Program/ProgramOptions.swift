internal import Platform

/// What a user asks of a crash program.
struct ProgramOptions: Sendable {
  static let defaultEngine = "luge"

  /// This program, to be started again.
  var program = ""
  var rounds = 200
  var first = 0
  var seed: UInt64 = 1
  var engine = Self.defaultEngine
  var directory = "/tmp"
  var isJSON = false
  /// Seconds.
  var patience = 60
  /// A directory to be looked at, in place of rounds.
  var check: String?
  var epoch = 0
  /// The file for a log of the calls of one life.
  var record: String?
  var operations = 60
  var wantsHelp = false
  /// Says on standard error what becomes of each child.
  var isVerbose = false

  static func usage(_ name: String) -> String {
    """
    usage: \(name) [--rounds N] [--seed N] [--engine NAME] [--from ROUND] [--directory PATH]
                   [--patience SECONDS] [--format text|json] [--verbose]
           \(name) --check PATH [--seed N] [--epoch N] [--engine NAME]
           \(name) --record FILE [--operations N] [--seed N] [--epoch N] [--engine NAME]

      --rounds N        rounds, 200 unless said; each kills a process at work and reads what is left
      --seed N          what is done and where the kills are aimed follows from it; 1 unless said
      --engine NAME     any engine of the registry that works on real files; luge unless said
      --from ROUND      begins with the directory that this round belongs to
      --directory PATH  where databases are made and removed again; /tmp unless said
      --patience N      seconds without a word after which a process counts as one that hangs; 60
      --verbose         says on standard error what becomes of each process
      --check PATH      recovers the database there, reads everything and verifies it
      --record FILE     one life that nobody kills, of so many operations of each thread (60 unless said), whose
                        calls are logged there, for `simulate crash-states --log FILE`

    Exit codes: 0 held, 1 violated, 2 wrong usage or input.
    """
  }

  /// Throws what is wrong with the arguments.
  init(_ arguments: [String]) throws(UsageError) {
    var rest = arguments[...]
    while let name = rest.popFirst() {
      if name == "--help" || name == "-h" {
        wantsHelp = true
        return
      }
      if name == "--verbose" {
        isVerbose = true
        continue
      }
      guard let value = rest.popFirst() else {
        throw UsageError("\(name) has no value, or is not an option")
      }
      switch name {
      case "--rounds": rounds = try Self.number(name, value, 1...1_000_000)
      case "--from": first = try Self.number(name, value, 0...1_000_000)
      case "--seed":
        guard let number = UInt64(value) else { throw UsageError("--seed is a number: \(value)") }
        seed = number
      case "--engine": engine = value
      case "--directory": directory = value
      case "--patience": patience = try Self.number(name, value, 1...3600)
      case "--check": check = value
      case "--epoch": epoch = try Self.number(name, value, 0...1_000_000)
      case "--record": record = value
      case "--operations": operations = try Self.number(name, value, 1...100_000)
      case "--format":
        guard value == "text" || value == "json" else {
          throw UsageError("--format is text or json: \(value)")
        }
        isJSON = value == "json"
      default: throw UsageError("\(name) is not an option")
      }
    }
  }

  private static func number(
    _ name: String, _ text: String, _ range: ClosedRange<Int>
  ) throws(UsageError) -> Int {
    guard let number = Int(text), range.contains(number) else {
      throw UsageError(
        "\(name) is a number from \(range.lowerBound) to \(range.upperBound): \(text)")
    }
    return number
  }
}

struct UsageError: Error {
  var message: String
  init(_ message: String) { self.message = message }
}
