import Foundation

/// Progress goes to the standard error: results alone go to the standard output.
enum Console {
  private static let begun = ContinuousClock.now

  static func note(_ text: String) {
    let minutes = (ContinuousClock.now - begun) / .seconds(60)
    FileHandle.standardError.write(Data("compare: [\(decimals(minutes, 1)) min] \(text)\n".utf8))
  }

  static func decimals(_ number: Double, _ places: Int) -> String {
    String(format: "%.\(places)f", number)
  }

  /// Three significant digits or so.
  static func short(_ number: Double) -> String {
    let size = abs(number)
    return decimals(number, size >= 100 ? 0 : size >= 10 ? 1 : size >= 1 ? 2 : size >= 0.01 ? 3 : 5)
  }

  static func rate(_ number: Double) -> String {
    number >= 1e6
      ? short(number / 1e6) + " M/s"
      : number >= 1e3 ? short(number / 1e3) + " k/s" : short(number) + " /s"
  }

  static func bytes(_ count: Double) -> String {
    for (unit, name) in [(1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")]
    where count >= Double(unit) {
      return short(count / Double(unit)) + " " + name
    }
    return short(count) + " B"
  }
}
