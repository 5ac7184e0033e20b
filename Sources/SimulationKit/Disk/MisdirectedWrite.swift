internal import EngineKit

/// Writes that go to another block, over what lies there, and not where they belong.
///
/// Safe: the source is lent for the call, with at least `count` bytes.
extension SimulatedDisk {
  /// Writes elsewhere. False: it did not, and the write is still to be done.
  func meetMisdirectedWrite(
    _ inode: Inode, _ source: UnsafeRawPointer, at start: Int, count: Int, _ gate: any SeamGate
  ) -> Bool {
    // Not twice in a row: a log whose last groups all went astray is one that ends before them, for anyone.
    if inode.lastWentAstray {
      inode.lastWentAstray = false
      return false
    }
    if count == 0 || !gate.strikes(.misdirectedWrite) { return false }
    inode.lastWentAstray = true
    let chosen = chooseVictim(inode, start, count, gate)
    // Where it belongs the length is as if it had come, and the bytes are what they were.
    if start + count > inode.length { allocate(inode, at: start, count: count) }
    hasRotted = true
    // Else it went to a block that is of no file.
    guard let (victim, place) = chosen else { return true }
    let rest = min(count, victim.length - place)
    unsafe write(victim, source, at: place, count: rest)
    return true
  }

  /// A place in some file, as far into its block as the right place is into its own; nil where there is none
  /// that may be hit.
  private func chooseVictim(
    _ inode: Inode, _ start: Int, _ count: Int, _ gate: any SeamGate
  ) -> (Inode, Int)? {
    var files: [Inode] = []
    for file in inodes {
      guard let file, !file.isDirectory, file.links > 0, file.length > 0 else { continue }
      files.append(file)
    }
    if files.isEmpty { return nil }
    let victim = files[Int(gate.draw("misdirected.file", below: UInt64(files.count)))]
    let blocks = (victim.length + DiskGeometry.blockSize - 1) / DiskGeometry.blockSize
    let block = Int(gate.draw("misdirected.block", below: UInt64(blocks)))
    let place = block * DiskGeometry.blockSize + start % DiskGeometry.blockSize
    if place >= victim.length || victim === inode && place == start { return nil }
    let first = place / DiskGeometry.sectorSize
    let end = DiskGeometry.sectors(upTo: min(place + count, victim.length))
    for write in victim.former + victim.pending
    where write.firstSector < end && first < write.endSector {
      return nil
    }
    return (victim, place)
  }
}
