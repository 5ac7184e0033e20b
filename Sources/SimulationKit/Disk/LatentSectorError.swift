internal import EngineKit
internal import Platform

/// Sectors that have become unreadable while nobody looked. A read that touches one fails, again and again, until the
/// sector is written: then the drive puts a spare one in its place.
extension SimulatedDisk {
  /// Throws where a sector of the range cannot be read, or has become so just now.
  func meetLatentError(
    _ inode: Inode, at start: Int, count: Int, _ path: String, _ gate: any SeamGate
  ) throws(PlatformError) {
    if count == 0 { return }
    let first = start / DiskGeometry.sectorSize
    let end = DiskGeometry.sectors(upTo: start + count)
    if mayRot(inode, at: start), gate.strikes(.latentSectorError) {
      let sector = first + Int(gate.draw("latent.sector", below: UInt64(end - first)))
      if !inode.unreadable.contains(sector) { inode.unreadable.append(sector) }
      hasRotted = true
    }
    for sector in inode.unreadable where sector >= first && sector < end {
      gate.record("read.unreadable", inode.id, UInt64(sector), 0)
      throw PlatformError(
        .inputOutput, operation: "read", path: path,
        offset: Int64(sector * DiskGeometry.sectorSize), detail: "the sector is unreadable")
    }
  }
}
