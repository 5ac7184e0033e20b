import Foundation

/// The files that the rules read.
struct SourceTree: Sendable {
  let files: [SourceFile]

  init(_ files: [SourceFile]) { self.files = files }

  /// A tree of one file, for showing that a rule can fail.
  init(_ path: String, _ text: String) { files = [SourceFile(path, text)] }

  /// This repository.
  static let repository = SourceTree(readingFrom: root)

  static let root = URL(filePath: #filePath)  // Tests/TidyTests/Support/SourceTree.swift
    .deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent()

  private static let folders = [
    "Sources", "Tests", "Simulations", "CrashTests", "Fuzz", "Benchmarks",
  ]
  private static let suffixes = [".swift", ".c", ".h", ".S"]

  private init(readingFrom root: URL) {
    var files: [SourceFile] = []
    for folder in Self.folders {
      let names = FileManager.default.enumerator(
        atPath: root.appending(path: folder).resolvingSymlinksInPath().path)
      for case let name as String in names ?? .init() {
        guard Self.suffixes.contains(where: name.hasSuffix), !name.contains(".build") else {
          continue
        }
        let path = folder + "/" + name
        if let text = try? String(contentsOf: root.appending(path: path), encoding: .utf8) {
          files.append(SourceFile(path, text))
        }
      }
    }
    self.files = files.sorted { $0.path < $1.path }
  }

  /// The Swift files under any of the folders.
  func swift(under folders: String...) -> [SourceFile] {
    files.filter { file in
      file.path.hasSuffix(".swift") && folders.contains(where: file.isUnder)
    }
  }

  subscript(path: String) -> SourceFile? { files.first { $0.path == path } }

  /// A text file of the repository that is not Swift, as "README.md".
  static func text(_ path: String) throws -> String {
    try String(contentsOf: root.appending(path: path), encoding: .utf8)
  }
}
