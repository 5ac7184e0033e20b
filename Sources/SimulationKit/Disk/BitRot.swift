/// Decay of the medium: bits that flip while nobody looks.
///
/// A flipped bit is kept beside the contents as damage and laid over what reads return, so that it
/// can be counted when a read meets it and forgotten when its sector is written.
///
/// Safe: `applyDamage` changes only bytes within the `count` that its caller lends for the call.
extension SimulatedDisk {
  /// Flips one drawn bit of one drawn file. Counts nothing: the read that meets it does. False
  /// when there was no byte to flip, as when the drawn sector is still to be written.
  @discardableResult
  public func rot(choosing gate: any SeamGate) -> Bool {
    var files: [Inode] = []
    for inode in inodes {
      guard let inode, !inode.isDirectory, inode.links > 0, inode.length > 0 else { continue }
      if inode.contents.allocatedBlocks > 0 { files.append(inode) }
    }
    if files.isEmpty { return false }
    let file = files[Int(gate.draw("rot.file", below: UInt64(files.count)))]
    let (count, _) = file.contents.allocatedBlock(nil, below: file.length)
    if count == 0 { return false }
    let wanted = Int(gate.draw("rot.block", below: UInt64(count)))
    let (_, block) = file.contents.allocatedBlock(wanted, below: file.length)
    let start = block * DiskGeometry.blockSize
    return rot(
      file, from: start, to: min(start + DiskGeometry.blockSize, file.length), isMet: false,
      choosing: gate)
  }

  /// Whether a read at `start` could meet a bit that has flipped just now: the file has no pending
  /// writes (a coarse test, because every read asks), and the medium holds that place.
  func mayRot(_ inode: Inode, at start: Int) -> Bool {
    !inode.hasPendingData && inode.contents.isAllocated(block: start / DiskGeometry.blockSize)
  }

  /// Flips a drawn bit of a range of allocated bytes.
  @discardableResult
  func rot(
    _ inode: Inode, from start: Int, to end: Int, isMet: Bool, choosing gate: any SeamGate
  ) -> Bool {
    let drawn = Int(gate.draw("rot.bit", below: UInt64(end - start) * 8))
    let position = start + drawn / 8
    if isPending(inode, sector: position / DiskGeometry.sectorSize) { return false }
    let mask = UInt8(1) << UInt8(drawn % 8)
    for damage in inode.damage where damage.position == position && damage.mask == mask {
      // Flipped twice would be whole again.
      return false
    }
    inode.damage.append(BitDamage(position: position, mask: mask, isMet: isMet))
    hasRotted = true
    return true
  }

  /// Lays the damage of a range over bytes just read from it; returns how many marks were met for
  /// the first time.
  func applyDamage(
    _ inode: Inode, to target: UnsafeMutableRawPointer, at offset: Int, count: Int
  ) -> Int {
    var met = 0
    var index = 0
    while index < inode.damage.count {
      let damage = inode.damage[index]
      let within = damage.position - offset
      if within >= 0 && within < count {
        let byte = unsafe target.load(fromByteOffset: within, as: UInt8.self)
        unsafe target.storeBytes(of: byte ^ damage.mask, toByteOffset: within, as: UInt8.self)
        if !damage.isMet {
          inode.damage[index].isMet = true
          met += 1
        }
      }
      index += 1
    }
    return met
  }

  private func isPending(_ inode: Inode, sector: Int) -> Bool {
    for write in inode.pending where write.firstSector <= sector && sector < write.endSector {
      return true
    }
    for write in inode.limbo where write.firstSector == sector { return true }
    return false
  }
}
