import Foundation

/// The file that every sample goes to as it comes, so that a run that was interrupted goes on where it
/// was: sections that are done are not run again, what an unfinished one left does not count.
final class Journal {
  private struct Line: Codable {
    var key: String?
    var sample: Sample?
    var done: String?
    var attempt: Int?
  }

  let path: String
  private let handle: FileHandle
  private var done: [String: Int] = [:]
  private var all: [Sample] = []
  private var attempts = 0

  /// The key names commit and settings; a file with another key is not taken, nor is any with `fresh`.
  init(directory: String, key: String, isFresh: Bool) throws {
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325
    for byte in key.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
    path = directory + "/run-" + String(hash, radix: 16) + ".jsonl"
    let files = FileManager.default
    if isFresh { try? files.removeItem(atPath: path) }
    let lines = (files.contents(atPath: path) ?? Data()).split(separator: 10)
    if !files.fileExists(atPath: path) { _ = files.createFile(atPath: path, contents: nil) }
    guard let handle = FileHandle(forWritingAtPath: path) else {
      throw BenchmarkError("cannot write \(path)")
    }
    self.handle = handle
    try handle.seekToEnd()
    if lines.isEmpty { try append(Line(key: key)) }
    for data in lines {
      // The last line of an interrupted run may be torn.
      guard let line = try? JSONDecoder().decode(Line.self, from: data) else { continue }
      if let found = line.key, found != key { throw BenchmarkError("\(path) is of another run") }
      if let sample = line.sample {
        all.append(sample)
        attempts = max(attempts, sample.attempt)
      }
      if let section = line.done { done[section] = line.attempt }
    }
  }

  private func append(_ line: Line) throws {
    try handle.write(contentsOf: JSONEncoder().encode(line) + Data("\n".utf8))
  }

  func isDone(_ section: String) -> Bool { done[section] != nil }

  /// A number for the samples of one attempt at a section.
  func begin() -> Int {
    attempts += 1
    return attempts
  }

  func note(_ sample: Sample) throws {
    all.append(sample)
    try append(Line(sample: sample))
  }

  func finish(_ section: String, _ attempt: Int) throws {
    done[section] = attempt
    try append(Line(done: section, attempt: attempt))
  }

  /// Samples of finished sections, in their order.
  var samples: [Sample] { all.filter { done[$0.section] == $0.attempt } }
}
