/// The sizes that the simulated disk works in.
public enum DiskGeometry {
  /// What a disk writes whole or tears: 512 bytes, the least that drives still promise.
  public static let sectorSize = 512
  /// What the file system allocates and gives back.
  public static let blockSize = 4096
  /// Bytes of one piece of a file's contents in memory. Copied when a fork shares it.
  static let chunkSize = 8192
  static let blocksPerChunk = chunkSize / blockSize
  /// A truncation notes what it takes away in pieces of this size, where there are bytes at all. A power loss decides on
  /// their sectors: another size would give saved tapes another meaning.
  static let cutSize = 32768
  /// The largest file, so that a wild offset is an error and not an allocation.
  public static let largestFile = 1 << 36

  static func sectors(upTo end: Int) -> Int { (end + sectorSize - 1) / sectorSize }
}
