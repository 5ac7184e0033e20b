import Foundation
import Testing

/// The committed corpora, and the seeds, run without libFuzzer: what was found once stays found.
@Suite struct CorpusTests {
  private static let root = URL(filePath: #filePath)  // Fuzz/Tests/CorpusTests.swift
    .deletingLastPathComponent().deletingLastPathComponent()

  @Test(arguments: Targets.all.map { $0.name })
  func holds(name: String) throws {
    let type = try #require(Targets.named(name))
    let target = type.init()
    let files = Corpus.files([Self.root.appending(path: "Corpus/\(name)").path])
    #expect(!files.isEmpty, "Corpus/\(name) is empty; see ci/fuzz")
    for file in files {
      do {
        try target.run(Corpus.read(file))
      } catch { Issue.record("\(file): \(error)") }
    }
  }

  /// A corpus is small enough to be kept.
  @Test(arguments: Targets.all.map { $0.name })
  func isSmall(name: String) throws {
    let files = Corpus.files([Self.root.appending(path: "Corpus/\(name)").path])
    var bytes = 0
    for file in files { bytes += try Corpus.read(file).count }
    #expect(bytes <= 200 << 10, "Corpus/\(name) has \(bytes) bytes")
  }

  @Test func seedsAreTheSameEveryTime() {
    for type in Targets.all where !(type.init() is any TapeMaker) {
      #expect(type.init().seeds() == type.init().seeds(), "\(type.name)")
    }
  }

  /// A folder with a target in it is in the list.
  @Test func noLineIsForgotten() throws {
    let listed = try String(
      contentsOf: Self.root.appending(path: "Targets.swift"), encoding: .utf8)
    let other = ["Corpus", "Dictionaries", "Driver", "Runner", "Support", "Tests"]
    let folders = try FileManager.default.contentsOfDirectory(atPath: Self.root.path)
    for folder in folders.sorted() where !other.contains(folder) && !folder.contains(".") {
      let files = Corpus.files([Self.root.appending(path: folder).path])
      let targets = try files.flatMap { file in
        try String(contentsOfFile: file, encoding: .utf8).split(separator: "\n").compactMap {
          line in
          line.hasPrefix("final class ") && line.contains(": FuzzTarget")
            ? String(line.split(whereSeparator: { " :".contains($0) })[2]) : nil
        }
      }
      #expect(targets.count == 1, "\(folder) declares \(targets)")
      for target in targets { #expect(listed.contains("\(target).self,"), "\(target)") }
    }
  }

  @Test func aLanedTapeComesBack() {
    var input = LanedInput()
    input.lanes[3] = [1, 2, 3]
    input.lanes[60] = [UInt8](repeating: 9, count: 300)
    #expect(LanedInput(input.encoded).lanes == input.lanes)
    #expect(
      LanedInput(input.encoded).encoded == input.encoded && input.count == input.encoded.count)
    // Cut anywhere it is still a tape.
    for length in 0..<input.count {
      let cut = LanedInput(Array(input.encoded.prefix(length)))
      #expect(LanedInput(cut.encoded).lanes == cut.lanes)
    }
  }
}
