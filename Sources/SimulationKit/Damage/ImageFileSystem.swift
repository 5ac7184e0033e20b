internal import EngineKit
public import Platform

/// One directory of files over an image of a database: an engine may change it as it likes, and the next one
/// begins with the image again. For one thread at a time, and for speed: a trial of many takes a fraction
/// of a millisecond.
///
/// Safe: what is read and written lies within arrays and the spans that callers lend.
public final class ImageFileSystem: FileSystem, @unchecked Sendable {
  // Unchecked: for one thread at a time.

  final class Node {
    private(set) var name: [UInt8]
    /// A file keeps its handles when it is renamed.
    var text: String { didSet { name = Array(text.utf8) } }
    var bytes: [UInt8]
    /// Its place in the image; -1: it is not of the image.
    let origin: Int
    var isLocked = false
    /// A sector that cannot be read until it is written.
    var unreadable = -1

    init(_ text: String, bytes: [UInt8] = [], origin: Int = -1) {
      self.text = text
      name = Array(text.utf8)
      self.bytes = bytes
      self.origin = origin
    }
  }

  public static let directory = "/db"

  private var image: DatabaseImage
  /// In ascending order of their names.
  private var nodes: [Node] = []
  /// For each file of the image, the bytes of it that were read; empty where nobody watches.
  private(set) var wasRead: [[Bool]] = []

  /// - Parameter watches: notes which bytes of the image are read.
  public init(_ image: DatabaseImage = DatabaseImage(), watches: Bool = false) {
    self.image = image
    if watches {
      wasRead = image.files.map { file in [Bool](repeating: false, count: file.bytes.count) }
    }
    reset()
  }

  /// Begins with the image again. Files that are open keep what they have.
  public func reset() {
    nodes.removeAll(keepingCapacity: true)
    var index = 0
    while index < image.files.count {
      let file = image.files[index]
      nodes.append(Node(file.name, bytes: file.bytes, origin: index))
      index += 1
    }
  }

  /// Begins with another image.
  public func restore(_ image: DatabaseImage) {
    self.image = image
    wasRead = []
    reset()
  }

  /// Flips bits of a byte of a file of the image. Before anything is opened.
  public func flip(file: Int, offset: Int, mask: UInt8) { nodes[file].bytes[offset] ^= mask }

  /// Flips bits of a byte of a region, and writes the checksum that is right then. Before anything is opened.
  func forge(file: Int, offset: Int, mask: UInt8, _ region: StorageRegion) {
    flip(file: file, offset: offset, mask: mask)
    guard let place = region.checksumAt else { return }
    let sum = region.offset + place
    let right = Self.checksum(nodes[file].bytes, region, at: sum)
    for index in 0..<4 {
      nodes[file].bytes[sum + index] = UInt8(truncatingIfNeeded: right >> UInt32(8 * index))
    }
  }

  private static func checksum(_ bytes: [UInt8], _ region: StorageRegion, at sum: Int) -> UInt32 {
    // Within the array, which is borrowed; the span checks the ranges.
    let span = unsafe bytes.span.bytes
    let front = crc32c(span.extracting(region.offset..<sum), seed: region.checksumSeed)
    return crc32c(span.extracting(sum + 4..<region.offset + region.count), seed: front)
  }

  /// Ends a file of the image. Before anything is opened.
  public func cut(file: Int, to count: Int) {
    nodes[file].bytes.removeLast(nodes[file].bytes.count - count)
  }

  /// Takes a file of the image away. Before anything is opened.
  func remove(file: Int) { nodes.remove(at: file) }

  /// Makes a sector of a file of the image unreadable until it is written. Before anything is opened.
  public func fail(file: Int, sector: Int) { nodes[file].unreadable = sector }

  /// The files as they are.
  public var snapshot: DatabaseImage {
    DatabaseImage(files: nodes.map { DatabaseImage.File(name: $0.text, bytes: $0.bytes) })
  }

  // MARK: The file system

  public func open(_ path: String, _ mode: OpenMode) throws(PlatformError) -> any File {
    ImageFile(path, try node(path, mode, "open"), self)
  }

  public func createDirectory(_ path: String) throws(PlatformError) {
    throw PlatformError(.alreadyExists, operation: "mkdir", path: path)
  }

  public func status(_ path: String) throws(PlatformError) -> FileStatus? {
    if path == Self.directory || path == "/" {
      return FileStatus(size: 0, allocatedSize: 0, isDirectory: true)
    }
    guard let found = find(path) else { return nil }
    let size = Int64(found.bytes.count)
    return FileStatus(size: size, allocatedSize: size, isDirectory: false)
  }

  public func list(_ directory: String) throws(PlatformError) -> [String] {
    if directory != Self.directory {
      throw PlatformError(.notFound, operation: "open", path: directory)
    }
    return nodes.map(\.text)
  }

  public func rename(_ path: String, to newPath: String) throws(PlatformError) {
    guard let found = find(path) else {
      throw PlatformError(.notFound, operation: "rename", path: path)
    }
    nodes.removeAll { $0 === found }
    if let replaced = find(newPath) { nodes.removeAll { $0 === replaced } }
    found.text = Self.name(newPath)
    insert(found)
  }

  public func remove(_ path: String) throws(PlatformError) {
    guard let found = find(path) else {
      throw PlatformError(.notFound, operation: "unlink", path: path)
    }
    nodes.removeAll { $0 === found }
  }

  public func removeDirectory(_ path: String) throws(PlatformError) {
    throw PlatformError(.notEmpty, operation: "rmdir", path: path)
  }

  public func syncDirectory(_ path: String) throws(PlatformError) {}

  public func lock(_ path: String) throws(PlatformError) -> any FileLock {
    let node = try node(path, .readWriteOrCreate, "flock")
    if node.isLocked { throw PlatformError(.locked, operation: "flock", path: path) }
    node.isLocked = true
    return ImageFileLock(node)
  }

  func noteRead(_ node: Node, from start: Int, count: Int) {
    if wasRead.isEmpty || node.origin < 0 { return }
    var index = start
    let end = min(start + count, wasRead[node.origin].count)
    while index < end {
      wasRead[node.origin][index] = true
      index += 1
    }
  }

  func forgetReads() {
    wasRead = wasRead.map { [Bool](repeating: false, count: $0.count) }
  }

  /// Sectors of the image that were read.
  var sectorsRead: [(file: Int, sector: Int)] {
    var found: [(file: Int, sector: Int)] = []
    for (file, bytes) in wasRead.enumerated() {
      for sector in 0..<DiskGeometry.sectors(upTo: bytes.count) {
        let start = sector * DiskGeometry.sectorSize
        let end = min(start + DiskGeometry.sectorSize, bytes.count)
        if bytes[start..<end].contains(true) { found.append((file, sector)) }
      }
    }
    return found
  }

  private func node(
    _ path: String, _ mode: OpenMode, _ operation: String
  ) throws(PlatformError) -> Node {
    if let found = find(path) {
      if mode == .createNew {
        throw PlatformError(.alreadyExists, operation: operation, path: path)
      }
      return found
    }
    if mode == .read || mode == .readWrite {
      throw PlatformError(.notFound, operation: operation, path: path)
    }
    let made = Node(Self.name(path))
    insert(made)
    return made
  }

  private func insert(_ node: Node) {
    var place = 0
    while place < nodes.count, nodes[place].name.precedes(node.name) { place += 1 }
    nodes.insert(node, at: place)
  }

  private func find(_ path: String) -> Node? {
    let name = Array(Self.name(path).utf8)
    var index = 0
    while index < nodes.count {
      if nodes[index].name.isSame(as: name) { return nodes[index] }
      index += 1
    }
    return nil
  }

  private static func name(_ path: String) -> String {
    guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else { return path }
    return String(path[path.index(after: slash)...])
  }
}

/// A lock on a file of an image.
final class ImageFileLock: FileLock, @unchecked Sendable {
  // Unchecked: for one thread at a time.
  private let node: ImageFileSystem.Node

  init(_ node: ImageFileSystem.Node) { self.node = node }

  func release() { node.isLocked = false }
}
