import Foundation
import Platform
import Testing

@testable import Luge

/// Databases that earlier versions wrote open for good, with everything that they held.
@Suite struct GoldenTests {
  static let variable = "UPDATE_GOLDEN_FILES"

  /// The files of format version 1, as they lie in the repository.
  static let directory: String = {
    var path = #filePath.split(separator: "/")
    path.removeLast()
    return "/" + path.joined(separator: "/") + "/Version1"
  }()

  static func contents() throws -> [(name: String, bytes: [UInt8])] {
    let files = PlatformServices.real.files
    return try files.list(directory).sorted().map {
      ($0, try TestFiles.read(files, "\(directory)/\($0)"))
    }
  }

  /// The database as the engine of today writes it, cut off as by a kill.
  static func write() throws -> [(name: String, bytes: [UInt8])] {
    let platform = PlatformServices.inMemory()
    let database = try Database.open(
      at: "/db", configuration: GoldenContents.configuration(), platform: platform)
    try GoldenContents.make(database)
    let found = try TestFiles.contents(platform.files).sorted { $0.name < $1.name }
    try database.close()
    return found
  }

  private static func check(_ files: [(name: String, bytes: [UInt8])]) throws {
    let platform = try TestFiles.world(files)
    for _ in 0..<2 {
      let database = try Database.open(
        at: "/db", configuration: GoldenContents.configuration(), platform: platform)
      #expect(database.wasRecovered)
      #expect(try database.treeNames().sorted() == GoldenContents.trees.map(\.name).sorted())
      for (name, compression) in GoldenContents.trees {
        let tree = try database.tree(named: name)
        #expect(tree.compression == compression)
        let expected = GoldenContents.entries(name, after: 2)
        let found = try tree.entries()
        #expect(found.count == expected.count, "\(name)")
        #expect(try tree.count() == expected.count, "\(name)")
        for (entry, expected) in zip(found, expected) {
          #expect(entry.key == expected.key && entry.value == expected.value)
        }
      }
      #expect(try database.nextID() > 3)
      #expect(try database.verify().problems == [])
      try database.close()
    }
  }

  @Test func versionOneOpens() throws { try Self.check(Self.contents()) }

  /// What the engine of today writes is read by the same test: else the files could not be made
  /// anew.
  @Test func whatIsWrittenTodayIsTheSame() throws {
    let files = try Self.write()
    try Self.check(files)
    if ProcessInfo.processInfo.environment[Self.variable] != nil {
      let real = PlatformServices.real.files
      for name in try real.list(Self.directory) { try real.remove("\(Self.directory)/\(name)") }
      for file in files {
        try TestFiles.write(real, "\(Self.directory)/\(file.name)", file.bytes)
      }
    }
  }

  /// Every kind of record is among the files.
  @Test func nothingIsMissing() throws {
    var kinds: Set<String> = []
    for file in try Self.contents()
    where file.name.hasPrefix("page-") || file.name.hasPrefix("value-") {
      var offset = PageFormat.blockBytes
      while offset + PageFormat.recordHeaderBytes <= file.bytes.count {
        guard
          let header = PageFormat.RecordHeader(
            [UInt8](file.bytes[offset..<offset + PageFormat.recordHeaderBytes])),
          let kind = PageKind(rawValue: header.kind)
        else {
          // A sync goes on at the next block.
          offset = (offset / PageFormat.blockBytes + 1) * PageFormat.blockBytes
          continue
        }
        kinds.insert("\(kind)")
        let start = offset + PageFormat.recordHeaderBytes
        let payload = [UInt8](file.bytes[start..<start + Int(header.length)])
        if kind == .leaf { try Self.note(payload, &kinds) }
        offset += PageFormat.recordBytes(payload: Int(header.length))
      }
    }
    for kind in [
      "leaf", "directory", "chunk", "segmentTable", "value", "commit", "reference", "base",
      "fragment", "plain", "lz4", "zstd",
      "tombstone", "fixed",
      "front-coded",
    ] { #expect(kinds.contains(kind), "\(kind)") }
  }

  private static func note(_ payload: [UInt8], _ kinds: inout Set<String>) throws {
    let image = try LeafImage(decoding: payload)
    kinds.insert(image.isFragment ? "fragment" : "base")
    let codec = try #require(Codec(rawValue: payload[1] >> LeafImage.codecShift))
    kinds.insert("\(codec)")
    image.visit { _, _, kind in kinds.insert("\(kind)") }
    // The layout, where the body is plain: it begins after the varint of its length.
    let head = try unsafe payload.raw { try unsafe LeafHead($0).bodyBytes }
    if codec == .plain && head > 0 {
      kinds.insert(payload[payload.count - head] & 1 == 1 ? "fixed" : "front-coded")
    }
  }
}
