import Platform

@testable import Luge

/// The files of a small database, and what an opening of them may find.
struct DatabaseImage {
  var name: String
  /// In ascending order of their names.
  var files: [(name: String, bytes: [UInt8])]
  /// Contents after each commit that a torn tail may leave as the last; the last one is what was left.
  var states: [ImageContents]
  /// Every structure that has a checksum.
  var spans: [ImageSpan]
  var configuration: Configuration

  /// A file system with these files in it.
  static func files(_ files: [(name: String, bytes: [UInt8])]) throws -> InMemoryFileSystem {
    let system = InMemoryFileSystem()
    try system.createDirectory(ImageMaker.directory)
    for (name, bytes) in files {
      let file = try system.open("\(ImageMaker.directory)/\(name)", .createNew)
      if !bytes.isEmpty { try file.writeFully(bytes, at: 0) }
      file.close()
    }
    return system
  }
}

/// What a database holds, tree by tree, in order.
struct ImageContents: Equatable {
  struct Row: Equatable {
    var key: [UInt8]
    var value: [UInt8]
  }
  struct TreeRows: Equatable {
    var tree: String
    var rows: [Row]
  }

  /// In the order of names; the default tree first.
  var trees: [TreeRows] = [TreeRows(tree: "", rows: [])]

  mutating func set(_ key: [UInt8], _ value: [UInt8]?, in tree: String) {
    guard let index = trees.firstIndex(where: { $0.tree == tree }) else { return }
    let place = trees[index].rows.firstIndex { compareKeys($0.key, key) >= 0 }
    let end = place ?? trees[index].rows.count
    let isThere = place.map { trees[index].rows[$0].key == key } ?? false
    if let value {
      if isThere {
        trees[index].rows[end].value = value
      } else {
        trees[index].rows.insert(Row(key: key, value: value), at: end)
      }
    } else if isThere {
      trees[index].rows.remove(at: end)
    }
  }

  mutating func add(tree: String) {
    if trees.contains(where: { $0.tree == tree }) { return }
    trees.append(TreeRows(tree: tree, rows: []))
    trees.sort { $0.tree < $1.tree }
  }

  mutating func remove(tree: String) { trees.removeAll { $0.tree == tree } }
}

/// Bytes of a file that a checksum covers, or most of them.
struct ImageSpan {
  enum Kind {
    case superblock
    case redoHeader
    case pageHeader
    /// Of a page or value segment.
    case record
    case piece(incarnation: UInt64)
  }

  /// Place in `DatabaseImage.files`.
  var file: Int
  var kind: Kind
  var start: Int
  /// Those worth a change: of a superblock not the zeros behind.
  var length: Int

  func repair(_ bytes: inout [UInt8]) {
    // What was cut off has no checksum any more.
    switch kind {
    case .superblock:
      if start + Superblock.copyBytes <= bytes.count { Repair.superblock(&bytes, at: start) }
    case .redoHeader:
      if start + RedoSegmentHeader.bytes <= bytes.count { Repair.redoHeader(&bytes, at: start) }
    case .pageHeader:
      if start + PageFormat.segmentHeaderBytes <= bytes.count {
        Repair.pageHeader(&bytes, at: start)
      }
    case .record:
      if start + PageFormat.recordHeaderBytes <= bytes.count { Repair.record(&bytes, at: start) }
    case .piece(let incarnation):
      if start + RedoFormat.headerBytes <= bytes.count {
        Repair.piece(&bytes, at: start, incarnation: incarnation)
      }
    }
  }

  /// Every structure of these files.
  static func all(_ files: [(name: String, bytes: [UInt8])]) -> [ImageSpan] {
    var spans: [ImageSpan] = []
    for (place, file) in files.enumerated() {
      let bytes = file.bytes
      if file.name == SuperblockStore.name {
        for copy in 0..<bytes.count / Superblock.copyBytes {
          spans.append(
            ImageSpan(
              file: place, kind: .superblock, start: copy * Superblock.copyBytes, length: 240))
        }
      } else if file.name.hasPrefix("redo-") {
        spans += redo(place, bytes)
      } else if file.name.hasPrefix("page-") || file.name.hasPrefix("value-") {
        spans += pages(place, bytes)
      }
    }
    return spans
  }

  private static func redo(_ file: Int, _ bytes: [UInt8]) -> [ImageSpan] {
    var spans: [ImageSpan] = []
    var incarnation: UInt64 = 0
    for start in RedoSegmentHeader.copyOffsets {
      spans.append(
        ImageSpan(file: file, kind: .redoHeader, start: start, length: RedoSegmentHeader.bytes))
      let copy = Array(bytes[start..<start + RedoSegmentHeader.bytes])
      if case .valid(let header) = RedoSegmentHeader.decode(copy) {
        incarnation = max(incarnation, header.incarnation)
      }
    }
    var start = RedoSegmentHeader.blockBytes
    while start + RedoFormat.headerBytes <= bytes.count {
      let length = Int(Repair.load(bytes, at: start))
      // A piece that began in the segment before: its blocks are looked for.
      guard length >= RedoFormat.headerBytes, length % 8 == 0, start + length <= bytes.count else {
        start = (start / RedoFormat.blockBytes + 1) * RedoFormat.blockBytes
        continue
      }
      let isPad = bytes[start + 16] == RedoKind.pad.rawValue
      spans.append(
        ImageSpan(
          file: file, kind: .piece(incarnation: incarnation), start: start,
          length: isPad ? RedoFormat.headerBytes : length))
      start += length
    }
    return spans
  }

  private static func pages(_ file: Int, _ bytes: [UInt8]) -> [ImageSpan] {
    var spans: [ImageSpan] = []
    for start in PageFormat.copyOffsets {
      spans.append(
        ImageSpan(
          file: file, kind: .pageHeader, start: start, length: PageFormat.segmentHeaderBytes))
    }
    var start = PageFormat.blockBytes
    while start + PageFormat.recordHeaderBytes <= bytes.count {
      let payload = Int(Repair.load(bytes, at: start + 4))
      let end = start + PageFormat.recordHeaderBytes + payload
      guard bytes[start] != 0, end <= bytes.count else {
        start = (start / PageFormat.blockBytes + 1) * PageFormat.blockBytes
        continue
      }
      spans.append(ImageSpan(file: file, kind: .record, start: start, length: end - start))
      start += PageFormat.recordBytes(payload: payload)
    }
    return spans
  }
}
