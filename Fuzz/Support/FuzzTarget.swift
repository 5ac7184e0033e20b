/// Something that is fed bytes, and knows what must hold whatever they are.
///
/// To add one: a folder with a file that implements this, and a line in `Targets.swift`. Its corpus is
/// `Corpus/NAME`, which `ci/fuzz NAME --seeds` begins.
///
/// An object serves one process, and runs one input at a time. What a run leaves behind must not change the next one.
protocol FuzzTarget: AnyObject, SendableMetatype {
  /// As given to `ci/fuzz`.
  static var name: String { get }
  /// One line: what the bytes are, and what must hold.
  static var summary: String { get }
  /// Bytes of the longest input that is of use.
  static var longestInput: Int { get }

  init()

  /// Does what the bytes say. Throws a `Finding` where something does not hold; a trap, a hang and a report of the
  /// address sanitizer are findings as well. Any other error is a mistake of the target.
  func run(_ input: [UInt8]) throws

  /// Inputs to begin with: the same ones every time.
  func seeds() -> [[UInt8]]

  /// Changes an input as its structure suggests. Not called where `knowsStructure` is false.
  func mutate(_ input: inout [UInt8], _ mutation: inout Mutation)

  /// A mixture of two inputs.
  func cross(_ left: [UInt8], _ right: [UInt8], _ mutation: inout Mutation) -> [UInt8]

  /// Whether it has a mutation and a mixture of its own; else libFuzzer's are used.
  static var knowsStructure: Bool { get }

  /// Whether an input is of interest, too, because it goes through a known edge more often than others did; else only new
  /// edges are. `ci/fuzz TARGET SECONDS -use_counters=1` asks for it.
  static var weighsHitCounts: Bool { get }

  /// What happened in all runs together, in words, for means a run.
  var counts: [(name: String, count: Int)] { get }
}

extension FuzzTarget {
  static var knowsStructure: Bool { false }
  static var weighsHitCounts: Bool { true }
  var counts: [(name: String, count: Int)] { [] }
  func mutate(_ input: inout [UInt8], _ mutation: inout Mutation) {}
  func cross(_ left: [UInt8], _ right: [UInt8], _ mutation: inout Mutation) -> [UInt8] { left }
}

/// Something that must hold and does not.
struct Finding: Error, CustomStringConvertible {
  var description: String
  init(_ description: String) { self.description = description }
}

/// Throws a finding where `holds` is false.
func require(_ holds: Bool, _ what: @autoclosure () -> String) throws(Finding) {
  if !holds { throw Finding(what()) }
}
