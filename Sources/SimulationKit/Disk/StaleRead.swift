internal import EngineKit

/// Reads that return what was there before the last sync, once.
///
/// Safe: bytes are put into the `count` that the caller lends for the call, from arrays of known length.
extension SimulatedDisk {
  /// Puts the sectors that the last sync has replaced in place of what was read.
  func meetStaleRead(
    _ inode: Inode, _ target: UnsafeMutableRawPointer, at start: Int, count: Int,
    _ gate: any SeamGate
  ) {
    if inode.former.isEmpty || !overlaps(inode.former, start, count) { return }
    if !gate.strikes(.staleRead) { return }
    // The oldest one comes last: it has what was there before all of them.
    for write in inode.former.reversed() {
      let first = max(start, write.firstSector * DiskGeometry.sectorSize)
      let end = min(start + count, write.endSector * DiskGeometry.sectorSize)
      var place = first
      while place < end {
        let offset = place - write.firstSector * DiskGeometry.sectorSize + write.beforeOffset
        let byte = write.before.map { $0[offset] } ?? 0
        unsafe target.storeBytes(of: byte, toByteOffset: place - start, as: UInt8.self)
        place += 1
      }
    }
    inode.liedAbout = start..<start + count
  }

  private func overlaps(_ writes: [PendingWrite], _ start: Int, _ count: Int) -> Bool {
    let first = start / DiskGeometry.sectorSize
    let end = DiskGeometry.sectors(upTo: start + count)
    for write in writes where write.firstSector < end && first < write.endSector { return true }
    return false
  }
}
