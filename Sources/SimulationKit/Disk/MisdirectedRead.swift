internal import EngineKit

/// Reads that return what lies elsewhere in the same file, once.
///
/// Safe: bytes are put into the `count` that the caller lends for the call.
extension SimulatedDisk {
  /// Puts other bytes in place of those that were read. False: it did not.
  func meetMisdirectedRead(
    _ inode: Inode, _ target: UnsafeMutableRawPointer, at start: Int, count: Int,
    _ gate: any SeamGate
  ) -> Bool {
    let sectors = inode.length / DiskGeometry.sectorSize
    guard sectors > 1, gate.strikes(.misdirectedRead) else {
      return false
    }
    // Another sector, and as far into it as the right place is into its own.
    let own = start / DiskGeometry.sectorSize
    let drawn = Int(gate.draw("misdirected.sector", below: UInt64(sectors - 1)))
    let other = drawn >= own ? drawn + 1 : drawn
    let from = other * DiskGeometry.sectorSize + start % DiskGeometry.sectorSize
    unsafe inode.contents.read(target, at: from, count: count)
    inode.liedAbout = start..<start + count
    return true
  }

  /// Whether a read of this range may be wrong: nothing of the file is to be written, and the last read that
  /// touched the range was right. Asked once a read: it forgets as much of the last lie as is read now. (A read that
  /// comes short is followed by one of the rest, which is no second read of that.)
  func mayLie(_ inode: Inode, _ start: Int, _ count: Int) -> Bool {
    let end = start + max(1, count)
    if let range = inode.liedAbout, range.overlaps(start..<end) {
      if end < range.upperBound {
        inode.liedAbout = end..<range.upperBound
      } else {
        inode.liedAbout = range.lowerBound < start ? range.lowerBound..<start : nil
      }
      return false
    }
    return count > 0 && !inode.hasPendingData
  }
}
