@testable import Luge

/// LZ4 and Zstandard as pages use them, and what says of itself how it is compressed. Hostile bytes are never written
/// beyond the target; what was compressed comes back, and into no target of another size.
final class CompressionTarget: FuzzTarget {
  static let name = "compression"
  static let summary = "codecs: hostile bytes, and there and back"
  static let longestInput = 8192

  private let contexts = CodecContexts()
  private static let settings: [Compression] = [
    .lz4, .zstd(level: 1), .zstd, .zstd(level: 9), .zstd(level: 19),
  ]

  init() {}

  func run(_ input: [UInt8]) throws {
    var reader = InputReader(input)
    let mode = reader.byte()
    switch mode % 4 {
    case 0: try runHostile(mode & 4 == 0 ? .lz4 : .zstd, &reader)
    case 1: try runSetting(UInt16(truncatingIfNeeded: reader.number(bytes: 2)))
    default: try runRoundTrip(Self.settings[Int(mode >> 2) % Self.settings.count], &reader)
    }
  }

  private func runHostile(_ codec: Codec, _ reader: inout InputReader) throws(Finding) {
    let room = reader.below(1 << 15)
    let bytes = reader.rest()
    guard let plain = decompress(bytes, room, codec) else { return }
    try require(plain.count == room, "a target that is not full counts as decompressed")
    try require(decompress(bytes, room, codec) == plain, "the same bytes come to something else")
  }

  private func runSetting(_ raw: UInt16) throws(Finding) {
    guard let compression = Compression(rawValue: raw) else { return }
    try require(compression.rawValue == raw, "a compression setting changes")
    try require(compression.isValid, "a compression setting that is none")
  }

  private func runRoundTrip(
    _ compression: Compression, _ reader: inout InputReader
  ) throws(Finding) {
    // Long runs and repetitions, which libFuzzer seldom makes.
    let times = 1 + reader.below(32)
    let less = reader.below(64)
    let piece = reader.rest()
    var plain: [UInt8] = []
    while plain.count < times * piece.count { plain += piece }
    if plain.isEmpty { return }
    guard let small = compress(plain, compression, room: plain.count + plain.count / 100 + 256)
    else { throw Finding("\(plain.count) bytes do not fit into more than as many") }
    try require(decompress(small, plain.count, compression.codec) == plain, "bytes change")
    try require(
      decompress(small, plain.count + 1, compression.codec) == nil, "a byte too many is given")
    if plain.count > 1 {
      try require(
        decompress(small, plain.count - 1, compression.codec) == nil, "a byte is kept back")
    }
    if let tight = compress(plain, compression, room: max(1, small.count - less)) {
      try require(
        decompress(tight, plain.count, compression.codec) == plain, "bytes change where it is tight"
      )
    }
  }

  /// Beyond what a call may write.
  private static let guardBytes = 16

  private func compress(
    _ bytes: [UInt8], _ compression: Compression, room: Int
  ) -> [UInt8]? {
    var target = [UInt8](repeating: 0xEE, count: room + Self.guardBytes)
    // Both arrays outlive the call.
    let count = unsafe target.withUnsafeMutableBytes { target in
      unsafe bytes.withUnsafeBytes {
        unsafe contexts.compress(
          $0, into: UnsafeMutableRawBufferPointer(rebasing: target[..<room]), compression)
      }
    }
    precondition(target[room...].allSatisfy { $0 == 0xEE }, "written beyond the end")
    return count.map { Array(target[..<$0]) }
  }

  private func decompress(_ bytes: [UInt8], _ room: Int, _ codec: Codec) -> [UInt8]? {
    var target = [UInt8](repeating: 0xEE, count: room + Self.guardBytes)
    // Both arrays outlive the call.
    let isGood = unsafe target.withUnsafeMutableBytes { target in
      unsafe bytes.withUnsafeBytes {
        unsafe contexts.decompress(
          $0, into: UnsafeMutableRawBufferPointer(rebasing: target[..<room]), codec)
      }
    }
    precondition(target[room...].allSatisfy { $0 == 0xEE }, "written beyond the end")
    return isGood ? Array(target[..<room]) : nil
  }

  func seeds() -> [[UInt8]] {
    let text = Array("{\"id\":7,\"name\":\"name 7\",\"active\":true}".utf8)
    var plain: [UInt8] = []
    while plain.count < 200 { plain += text }
    var seeds: [[UInt8]] = [[1, 0, 0], [1, 1, 0], [1, 2, 3]]
    for (place, compression) in Self.settings.enumerated() {
      seeds.append([UInt8(place << 2 | 2), 3, 0] + text)
      guard let small = compress(plain, compression, room: 1024) else { continue }
      let mode: UInt8 = compression.codec == .lz4 ? 0 : 4
      seeds.append([mode, UInt8(plain.count & 0xFF), UInt8(plain.count >> 8)] + small)
    }
    return seeds
  }
}
