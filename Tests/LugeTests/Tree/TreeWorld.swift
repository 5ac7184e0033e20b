import Platform

@testable import Luge

/// A tree's surroundings for tests: a real log over an in-memory file system, real threads, and a
/// count of every byte.
final class TreeWorld: Sendable {
  let platform: PlatformServices
  let context: TreeContext

  static let tiny = {
    var settings = TreeSettings()
    settings.leafEntries = 4
    settings.appendWords = 2
    settings.leafBytes = 400
    settings.chunkPages = 3
    return settings
  }()

  init(
    _ settings: TreeSettings = tiny, clock: any Clock = RealClock(),
    threads: any Threads = RealThreads(), pageSegment: Int = 1 << 20
  ) throws {
    platform = PlatformServices(
      files: InMemoryFileSystem(), clock: clock, threads: threads, entropy: RealEntropy())
    try platform.files.createDirectory("/db")
    var log = RedoSettings()
    log.ringBytes = 8 << 20
    log.maximumThreads = 128
    log.largestOrdinaryPiece = 4 << 10
    log.segmentPayload = 1 << 20
    context = TreeContext(
      log: try RedoLog(
        platform: platform, directory: "/db", settings: log, incarnation: 1,
        start: RedoFormat.firstLSN),
      epochs: EpochReclaimer(),
      pages: try PageStore(
        platform: platform, directory: "/db", segmentBytes: pageSegment, nextSerial: 1),
      values: try PageStore(
        platform: platform, directory: "/db", family: .values, segmentBytes: 1 << 20,
        nextSerial: 1),
      platform: platform, settings: settings)
  }

  func tree(_ id: UInt64 = 1) throws -> BLinkTree { try BLinkTree(id: id, context: context) }

  /// Runs one body a thread and waits for all.
  func run(_ count: Int, _ body: @escaping @Sendable (Int) -> Void) throws {
    var threads: [ThreadID] = []
    for index in 0..<count {
      threads.append(try platform.threads.spawn("test-\(index)") { body(index) })
    }
    for thread in threads { try platform.threads.join(thread) }
  }
}

extension BLinkTree {
  func put(_ key: [UInt8], _ value: [UInt8]) throws(LugeError) -> [UInt8]? {
    try write(key, value) { value in WriteMode.put(value!) }.old
  }

  func remove(_ key: [UInt8]) throws(LugeError) -> [UInt8]? {
    try write(key, nil) { _ in WriteMode.remove }.old
  }

  func exchange(
    _ key: [UInt8], _ expected: [UInt8]?, _ desired: [UInt8]?
  ) throws(LugeError) -> WriteResult {
    guard let expected else {
      return try write(key, desired) { .exchange(expected: nil, desired: $0) }
    }
    return try unsafe expected.span.bytes.withUnsafeBytes { (expected) throws(LugeError) in
      let expected = unsafe ByteView(expected)
      return try write(key, desired) { .exchange(expected: expected, desired: $0) }
    }
  }

  private func write(
    _ key: [UInt8], _ value: [UInt8]?, _ mode: (ByteView?) -> WriteMode
  ) throws(LugeError) -> WriteResult {
    try unsafe key.span.bytes.withUnsafeBytes { (key) throws(LugeError) in
      guard let value else { return try unsafe update(key, mode(nil)) }
      return try unsafe value.span.bytes.withUnsafeBytes { (value) throws(LugeError) in
        try unsafe update(key, mode(ByteView(value)))
      }
    }
  }

  func get(_ key: [UInt8]) throws(LugeError) -> [UInt8]? {
    try unsafe key.span.bytes.withUnsafeBytes { (key) throws(LugeError) in try unsafe get(key) }
  }

  func entries() throws(LugeError) -> [TreeEntry] { try entries(TreeCursor(self)) }

  func entriesDown() throws(LugeError) -> [TreeEntry] { try entriesDown(TreeCursor(self)) }

  func entries(_ cursor: consuming TreeCursor) throws(LugeError) -> [TreeEntry] {
    var result: [TreeEntry] = []
    while let entry = try cursor.next() { result.append(entry) }
    return result
  }

  func entriesDown(_ cursor: consuming TreeCursor) throws(LugeError) -> [TreeEntry] {
    var result: [TreeEntry] = []
    while let entry = try cursor.previous() { result.append(entry) }
    return result
  }
}

/// One write of a batch: nil removes.
struct BatchWrite {
  var tree: BLinkTree
  var key: [UInt8]
  var value: [UInt8]?
}

extension BatchCommit {
  init(_ context: TreeContext, _ writes: [BatchWrite]) throws(LugeError) {
    var trees: [BLinkTree] = []
    let buffer = BatchBuffer()
    for write in writes {
      var number = 0
      while number < trees.count && trees[number] !== write.tree { number += 1 }
      if number == trees.count { trees.append(write.tree) }
      unsafe write.key.withUnsafeBytes { key in
        guard let value = write.value else {
          return unsafe buffer.append(
            tree: number, id: write.tree.id, key: ByteView(key), value: nil)
        }
        unsafe value.withUnsafeBytes { value in
          unsafe buffer.append(
            tree: number, id: write.tree.id, key: ByteView(key), value: ByteView(value))
        }
      }
    }
    try self.init(context, trees: trees, buffer)
  }
}

/// Splitmix64: repeatable.
struct TestRandom: RandomNumberGenerator {
  private var state: UInt64
  init(_ seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }

  mutating func below(_ bound: Int) -> Int { Int(next() % UInt64(bound)) }

  /// Short keys of few letters, zeros among them, so that prefixes, equal heads and padding matter.
  mutating func key() -> [UInt8] {
    let letters: [UInt8] = [0, 1, 97, 98, 255]
    switch below(4) {
    case 0:
      return (0..<below(4)).map { _ in letters[below(5)] }
    case 1:
      return [UInt8]("shared-prefix-".utf8) + (0..<below(3)).map { _ in letters[below(5)] }
    case 2:
      return [UInt8]("user\(1000 + below(60))".utf8)
    default:
      return [UInt8](repeating: 97, count: 8) + (0..<below(12)).map { _ in letters[below(2)] }
    }
  }

  mutating func value() -> [UInt8] {
    [UInt8](repeating: UInt8(below(256)), count: below(8) == 0 ? 150 : below(12))
  }
}
