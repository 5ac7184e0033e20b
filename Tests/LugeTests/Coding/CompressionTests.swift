import Platform
import Testing

@testable import Luge

@Suite struct CompressionTests {
  static let settings: [Compression] = [
    .lz4, .zstd(level: 1), .zstd, .zstd(level: 9), .zstd(level: 19),
  ]

  /// Nil when it does not fit.
  static func compress(
    _ bytes: [UInt8], _ compression: Compression, _ contexts: CodecContexts, room: Int? = nil
  ) -> [UInt8]? {
    var target = [UInt8](repeating: 0xEE, count: (room ?? bytes.count + 200) + 8)
    let room = target.count - 8
    let count = unsafe target.withUnsafeMutableBytes { target in
      unsafe bytes.raw {
        unsafe contexts.compress(
          $0, into: UnsafeMutableRawBufferPointer(rebasing: target[..<room]), compression)
      }
    }
    #expect(target[room...].allSatisfy { $0 == 0xEE }, "written beyond the end")
    return count.map { [UInt8](target[0..<$0]) }
  }

  static func decompress(
    _ bytes: [UInt8], _ count: Int, _ codec: Codec, _ contexts: CodecContexts
  ) -> [UInt8]? {
    var target = [UInt8](repeating: 0xEE, count: count + 8)
    let isGood = unsafe target.withUnsafeMutableBytes { target in
      unsafe bytes.raw {
        unsafe contexts.decompress(
          $0, into: UnsafeMutableRawBufferPointer(rebasing: target[..<count]), codec)
      }
    }
    #expect(target[count...].allSatisfy { $0 == 0xEE }, "written beyond the end")
    return isGood ? [UInt8](target[0..<count]) : nil
  }

  @Test(arguments: settings)
  func bytesComeBack(compression: Compression) {
    let contexts = CodecContexts()
    var random = TestRandom(1)
    for _ in 0..<40 {
      let letters = 1 + random.below(4)
      let bytes = (0..<1 + random.below(5000)).map { _ in UInt8(random.below(letters)) }
      guard let small = Self.compress(bytes, compression, contexts) else {
        Issue.record("did not fit")
        continue
      }
      #expect(Self.decompress(small, bytes.count, compression.codec, contexts) == bytes)
      #expect(Self.decompress(small, bytes.count + 1, compression.codec, contexts) == nil)
      if bytes.count > 1 {
        #expect(Self.decompress(small, bytes.count - 1, compression.codec, contexts) == nil)
      }
    }
  }

  @Test(arguments: settings)
  func whatDoesNotFitIsRefused(compression: Compression) {
    let contexts = CodecContexts()
    var random = TestRandom(2)
    let noise = (0..<3000).map { _ in UInt8(random.below(256)) }
    #expect(Self.compress(noise, compression, contexts, room: 2800) == nil)
    #expect(Self.compress([], compression, contexts) == nil)
    #expect(Self.compress(noise, .none, contexts) == nil)
  }

  @Test(arguments: [Compression.lz4, .zstd])
  func damageNeverTraps(compression: Compression) throws {
    let contexts = CodecContexts()
    var random = TestRandom(3)
    let bytes = (0..<600).map { _ in UInt8(random.below(3)) }
    let good = try #require(Self.compress(bytes, compression, contexts))
    for bit in 0..<good.count * 8 {
      var bad = good
      bad[bit / 8] ^= 1 << UInt8(bit % 8)
      _ = Self.decompress(bad, bytes.count, compression.codec, contexts)
    }
    for length in 0..<good.count {
      #expect(
        Self.decompress([UInt8](good[0..<length]), bytes.count, compression.codec, contexts) == nil)
    }
    for _ in 0..<300 {
      let noise = (0..<random.below(60)).map { _ in UInt8(random.below(256)) }
      _ = Self.decompress(noise, 100, compression.codec, contexts)
    }
    // A damaged call leaves the context good for the next.
    #expect(Self.decompress(good, bytes.count, compression.codec, contexts) == bytes)
  }

  @Test func contextsAreKeptAndCounted() {
    let contexts = CodecContexts()
    #expect(contexts.keptBytes == 0)
    let bytes = [UInt8](repeating: 1, count: 4000)
    let small = Self.compress(bytes, .zstd, contexts)!
    let compressor = contexts.keptBytes
    #expect(compressor > 0)
    _ = Self.compress(bytes, .zstd, contexts)
    #expect(contexts.keptBytes == compressor, "the same context again")
    _ = Self.decompress(small, 4000, .zstd, contexts)
    _ = Self.compress(bytes, .lz4, contexts)
    #expect(contexts.keptBytes > compressor)
  }

  @Test func threadsShareContexts() throws {
    let world = try TreeWorld()
    let contexts = CodecContexts()
    let failures = AtomicWord(0)
    try world.run(6) { thread in
      var random = TestRandom(UInt64(thread))
      for turn in 0..<100 {
        let compression = Self.settings[turn % 3]
        let bytes = (0..<500 + random.below(500)).map { _ in UInt8(random.below(3)) }
        let small = Self.compress(bytes, compression, contexts) ?? []
        if Self.decompress(small, bytes.count, compression.codec, contexts) != bytes {
          _ = failures.fetchAdd(1)
        }
      }
    }
    #expect(failures.load() == 0)
  }

  @Test func rawValuesComeBack() {
    for raw in UInt16.min...UInt16.max {
      if let compression = Compression(rawValue: raw) {
        #expect(compression.rawValue == raw && compression.isValid)
      }
    }
    for compression in Self.settings + [.none] {
      #expect(Compression(rawValue: compression.rawValue) == compression)
    }
    #expect(!Compression.zstd(level: 0).isValid && !Compression.zstd(level: 20).isValid)
  }
}
