/// A run of bytes in a file of a database, and who needs them: so that a harness that damages every byte can
/// say why a damage did no harm. Bytes that no region covers belong to nothing.
public struct StorageRegion: Equatable, Sendable {
  public enum Use: String, Codable, Sendable {
    /// Damage of these must be reported.
    case needed
    /// After a kill they may be taken for a torn tail: what they hold may be gone, as a whole prefix.
    case tail
    /// There is another copy of them, which serves.
    case copied
    /// They belong to nothing.
    case free
  }

  public var path: String
  public var offset: Int
  public var count: Int
  /// What the engine calls such bytes.
  public var kind: String
  public var use: Use
  /// Where in it the CRC-32C of all its other bytes lies, little-endian; nil: it has none, so that nobody can
  /// write other bytes under a right checksum.
  public var checksumAt: Int?
  /// What that checksum begins with.
  public var checksumSeed: UInt32

  public init(
    _ path: String, offset: Int, count: Int, kind: String, use: Use, checksumAt: Int? = nil,
    checksumSeed: UInt32 = 0
  ) {
    self.path = path
    self.offset = offset
    self.count = count
    self.kind = kind
    self.use = use
    self.checksumAt = checksumAt
    self.checksumSeed = checksumSeed
  }
}
