/// How the pages of a tree are compressed on disk. Pages that do not become smaller are stored
/// plain; what is written says of itself how it is compressed, so the setting may change at any time.
public enum Compression: Hashable, Sendable {
  /// Not at all.
  case none
  /// LZ4: fast, and moderately small.
  case lz4
  /// Zstandard at a level from 1 (faster) to 19 (smaller).
  case zstd(level: Int)

  /// Zstandard at its usual level, 3.
  public static let zstd = Compression.zstd(level: 3)

  /// The levels of Zstandard that are taken.
  public static let zstdLevels = 1...19

  /// Whether the level, if there is one, is among those taken.
  var isValid: Bool {
    if case .zstd(let level) = self { return Self.zstdLevels.contains(level) }
    return true
  }

  func validate() throws(LugeError) {
    if isValid { return }
    throw LugeError(
      .invalidArgument, "a level of Zstandard must be from 1 to 19", expected: "1 to 19",
      found: "\(self)")
  }

  var codec: Codec {
    switch self {
    case .none: .plain
    case .lz4: .lz4
    case .zstd: .zstd
    }
  }

  /// Codec in the low byte, level in the next: as kept in memory and in the catalogue.
  var rawValue: UInt16 {
    let codec = UInt16(codec.rawValue)
    if case .zstd(let level) = self { return codec | UInt16(level) << 8 }
    return codec
  }

  /// Nil for what `rawValue` never gives.
  init?(rawValue: UInt16) {
    let level = Int(rawValue >> 8)
    switch Codec(rawValue: UInt8(truncatingIfNeeded: rawValue)) {
    case .plain where level == 0: self = .none
    case .lz4 where level == 0: self = .lz4
    case .zstd where Self.zstdLevels.contains(level): self = .zstd(level: level)
    default: return nil
    }
  }
}

/// How bytes on disk are compressed. The numbers are part of the format.
enum Codec: UInt8, Sendable {
  case plain = 0
  case lz4 = 1
  case zstd = 2
}
