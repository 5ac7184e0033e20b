internal import Platform
public import SimulationKit

extension Scenario {
  /// Debian's English word list: real keys with real shared prefixes.
  public static let words = Scenario(
    "words", workload: .words { @Sendable in WordList.words }, faults: [.crashes, .swarm])
}

/// The word list of Debian's package `wamerican`.
public enum WordList {
  public static let path = "/usr/share/dict/words"

  /// Each word once, in the order of the file; empty where the package is not installed.
  public static let words: [[UInt8]] = (try? read(path)) ?? []

  /// The words of a file, one a line.
  static func read(_ path: String) throws(PlatformError) -> [[UInt8]] {
    let file = try RealFileSystem().open(path, .read)
    defer { file.close() }
    var bytes = [UInt8](repeating: 0, count: Int(try file.size()))
    _ = try file.readAvailable(at: 0, into: &bytes)
    var words: [[UInt8]] = []
    for line in bytes.split(separator: 0x0A) { words.append([UInt8](line)) }
    return words
  }
}
