import Foundation

/// What is printed.
enum Console {
  static func result(_ line: String) { FileHandle.standardOutput.write(Data((line + "\n").utf8)) }
  static func error(_ line: String) { FileHandle.standardError.write(Data((line + "\n").utf8)) }

  /// What a target counted, as means a run.
  static func means(_ target: any FuzzTarget, runs: Int, _ what: String) {
    for (name, count) in target.counts {
      let hundredths = count * 100 / max(1, runs)
      let fraction = hundredths % 100 < 10 ? "0\(hundredths % 100)" : "\(hundredths % 100)"
      error("fuzz: mean of \(what): \(name) \(hundredths / 100).\(fraction)")
    }
  }
}
