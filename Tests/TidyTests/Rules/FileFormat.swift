import Foundation
import Testing

/// The page that describes the format on disk has the head of every coder, word for word.
///
/// A coder is a type of the engine whose comment has a byte table: a line that ends in "DESCRIPTION"
/// and is indented by four, as text to be printed as it is. (Layouts in memory are fenced by backquotes.)
enum FileFormat {
  static let page = "Sources/Luge/Luge.docc/FileFormat.md"
  static let folder = "Sources/Luge"
  /// Where what is copied begins.
  static let marker = "<!-- Copied from the sources; `\(command)` writes it anew. -->"
  static let command = "UPDATE_FILE_FORMAT=1 swift test --filter FileFormatTests"

  /// From the root of a database down; coders that are not here follow in the order of their paths.
  static let order = [
    "Superblock", "RedoSegmentHeader", "RedoFormat", "RedoPayload", "PageFormat", "ChunkList",
    "ValueReference", "SegmentBytes", "ChunkImage", "LeafImage", "Catalogue",
  ]

  struct Coder: Equatable {
    var name: String
    var path: String
    /// Its comment, without the slashes.
    var text: [String]
  }

  static func coders(in tree: SourceTree) -> [Coder] {
    var coders: [Coder] = []
    for file in tree.swift(under: folder) {
      var block: [String] = []
      for line in file.lines {
        if let comment = documentation(line) {
          block.append(comment)
          continue
        }
        let name = declaredName(line)
        if block.contains(where: isTable), let name {
          coders.append(Coder(name: name, path: file.path, text: block))
        }
        // Attributes may stand between a comment and what it describes.
        if name != nil || !line.hasPrefix("@") { block = [] }
      }
    }
    return coders.enumerated().sorted { left, right in
      (rank(left.element), left.offset) < (rank(right.element), right.offset)
    }.map(\.element)
  }

  private static func rank(_ coder: Coder) -> Int {
    order.firstIndex(of: coder.name) ?? order.count
  }

  private static func documentation(_ line: String) -> String? {
    guard line.hasPrefix("///") else { return nil }
    return String(line.hasPrefix("/// ") ? line.dropFirst(4) : line.dropFirst(3))
  }

  private static func isTable(_ line: String) -> Bool {
    line.hasPrefix("    ") && line.hasSuffix(" DESCRIPTION")
  }

  private static func declaredName(_ line: String) -> String? {
    let words = line.split { !$0.isLetter && !$0.isNumber && $0 != "_" }.map(String.init)
    guard let kind = words.firstIndex(where: { ["struct", "enum", "class"].contains($0) }),
      kind + 1 < words.count
    else { return nil }
    return words[kind + 1]
  }

  /// The page as it should be, from its marker on.
  static func copied(_ coders: [Coder]) -> String {
    var text = marker + "\n"
    for coder in coders {
      text += "\n## \(coder.name)\n\n`\(coder.path)`\n\n"
      text += coder.text.joined(separator: "\n") + "\n"
    }
    return text
  }

  /// What comes before the marker, and what comes after it.
  static func split(_ page: String) -> (written: String, copied: String) {
    guard let place = page.range(of: "<!-- Copied from") else { return (page, "") }
    return (String(page[..<place.lowerBound]), String(page[place.lowerBound...]))
  }
}

@Suite struct FileFormatTests {
  @Test func holds() throws {
    let page = FileFormat.split(try SourceTree.text(FileFormat.page))
    let copied = FileFormat.copied(FileFormat.coders(in: .repository))
    if ProcessInfo.processInfo.environment["UPDATE_FILE_FORMAT"] != nil {
      try (page.written + copied).write(
        to: SourceTree.root.appending(path: FileFormat.page), atomically: true, encoding: .utf8)
      return
    }
    #expect(
      page.copied == copied, "\(FileFormat.page) is out of date: run \(FileFormat.command)")
  }

  @Test func findsTheCoders() {
    let names = FileFormat.coders(in: .repository).map(\.name)
    for name in ["Superblock", "RedoFormat", "PageFormat", "LeafImage", "Catalogue"] {
      #expect(names.contains(name))
    }
  }

  @Test func convicts() {
    let code = """
      /// Ends of things.
      ///
      ///     SIZE DESCRIPTION
      ///     1    one byte
      @safe struct End {}
      /// ```
      /// SIZE DESCRIPTION
      /// ```
      struct InMemory {}
      """
    let coders = FileFormat.coders(in: SourceTree("Sources/Luge/Log/End.swift", code))
    #expect(
      coders == [
        FileFormat.Coder(
          name: "End", path: "Sources/Luge/Log/End.swift",
          text: ["Ends of things.", "", "    SIZE DESCRIPTION", "    1    one byte"])
      ])
    let page = FileFormat.split("Before.\n" + FileFormat.copied(coders))
    #expect(page.written == "Before.\n" && page.copied == FileFormat.copied(coders))
    #expect(page.copied != FileFormat.copied([]))
  }
}
