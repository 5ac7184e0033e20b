/// What happens to the contents of files, without gate and faults.
///
/// Safe: callers lend `count` bytes for the call; buffers made here have the size that is read.
extension SimulatedDisk {
  /// How many of `count` bytes at `offset` there is space for.
  func writable(_ inode: Inode, at offset: Int, count: Int) -> Int {
    guard let capacity else { return count }
    let free = capacity / DiskGeometry.blockSize - usedBlocks
    if inode.contents.blocksMissing(at: offset, count: count) <= free { return count }
    var end = offset
    var left = max(0, free)
    while end < offset + count {
      if !inode.contents.isAllocated(block: end / DiskGeometry.blockSize) {
        if left == 0 { break }
        left -= 1
      }
      end = (end / DiskGeometry.blockSize + 1) * DiskGeometry.blockSize
    }
    return min(end, offset + count) - offset
  }

  func write(_ inode: Inode, _ source: UnsafeRawPointer, at offset: Int, count: Int) {
    if count == 0 { return }
    sequence += 1
    remember(inode, from: offset, to: offset + count, isCut: false)
    let former = inode.contents.allocatedBlocks
    unsafe inode.contents.write(source, at: offset, count: count)
    usedBlocks += inode.contents.allocatedBlocks - former
    extend(inode, to: offset + count)
    inode.heal(from: offset, to: offset + count)
  }

  /// Copies what the file has of a range; returns the number of bytes, which ends with the file.
  func read(_ inode: Inode, _ target: UnsafeMutableRawPointer, at offset: Int, count: Int) -> Int {
    let available = min(count, max(0, inode.length - offset))
    unsafe inode.contents.read(target, at: offset, count: available)
    return available
  }

  func truncate(_ inode: Inode, to length: Int) {
    if length == inode.length { return }
    sequence += 1
    if length < inode.length {
      inode.former = []
      remember(inode, from: length, to: inode.length, isCut: true)
      release(inode, from: length, to: inode.length, toEnd: true)
    }
    inode.lengthChanges.append(LengthChange(sequence: sequence, formerLength: inode.length))
    inode.length = length
  }

  func allocate(_ inode: Inode, at offset: Int, count: Int) {
    sequence += 1
    let former = inode.contents.allocatedBlocks
    inode.contents.allocate(at: offset, count: count)
    usedBlocks += inode.contents.allocatedBlocks - former
    extend(inode, to: offset + count)
  }

  /// To a power loss a punched hole is a write of zeros.
  func punchHole(_ inode: Inode, from offset: Int, to end: Int) {
    let end = min(end, inode.length)
    if offset >= end { return }
    sequence += 1
    remember(inode, from: offset, to: end, isCut: false)
    release(inode, from: offset, to: end, toEnd: end == inode.length)
  }

  /// Makes contents and length durable, except what an earlier failed sync gave up.
  func sync(_ inode: Inode) {
    if !inode.limbo.isEmpty { resolveLimbo(inode) }
    if keepsFormer, !inode.pending.isEmpty { inode.former = inode.pending.filter { !$0.isCut } }
    inode.pending.removeAll(keepingCapacity: true)
    inode.lengthChanges.removeAll(keepingCapacity: true)
  }

  /// A sync that fails: what was to be written is marked clean and is nobody's business any more.
  /// Metadata stays as pending as it was.
  func failSync(_ inode: Inode) {
    var kept: [PendingWrite] = []
    for write in inode.pending {
      if write.isCut {
        kept.append(write)
        continue
      }
      var index = 0
      while index < write.sectorCount {
        var piece = write
        piece.firstSector += index
        piece.sectorCount = 1
        piece.beforeOffset += index * DiskGeometry.sectorSize
        inode.limbo.append(piece)
        index += 1
      }
    }
    inode.pending = kept
  }

  /// Recounts the blocks of files that have a name.
  func recountSpace() {
    usedBlocks = 0
    for inode in inodes {
      guard let inode else { continue }
      inode.holdsSpace = inode.links > 0 || inode.openHandles > 0
      if inode.holdsSpace { usedBlocks += inode.contents.allocatedBlocks }
    }
  }

  /// A sector that is written again and synced is durable with all that is in it.
  private func resolveLimbo(_ inode: Inode) {
    let pending = inode.pending
    inode.limbo.removeAll { lost in
      for write in pending
      where write.sequence > lost.sequence && write.firstSector <= lost.firstSector
        && lost.firstSector < write.endSector
      {
        return true
      }
      return false
    }
  }

  /// Notes the sectors of a range as they are, before they change.
  private func remember(_ inode: Inode, from start: Int, to end: Int, isCut: Bool) {
    let first = start / DiskGeometry.sectorSize
    let last = DiskGeometry.sectors(upTo: end)
    if !isCut {
      append(inode, first, last, isCut: false)
      return
    }
    // A cut can be as long as a sparse file: only the pieces with bytes are worth noting.
    let perPiece = DiskGeometry.cutSize / DiskGeometry.sectorSize
    let chunks = inode.contents.chunkCount * DiskGeometry.chunkSize / DiskGeometry.sectorSize
    let limit = min(last, (chunks + perPiece - 1) / perPiece * perPiece)
    var sector = first
    while sector < limit {
      let next = min(limit, (sector / perPiece + 1) * perPiece)
      let offset = sector * DiskGeometry.sectorSize
      if inode.contents.holdsBytes(at: offset, count: (next - sector) * DiskGeometry.sectorSize) {
        append(inode, sector, next, isCut: true)
      }
      sector = next
    }
  }

  private func append(_ inode: Inode, _ first: Int, _ last: Int, isCut: Bool) {
    let offset = first * DiskGeometry.sectorSize
    let count = (last - first) * DiskGeometry.sectorSize
    var before: [UInt8]?
    if inode.contents.holdsBytes(at: offset, count: count) {
      before = unsafe [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
        if let target = buffer.baseAddress {
          unsafe inode.contents.read(UnsafeMutableRawPointer(target), at: offset, count: count)
          initialized = count
        }
      }
    }
    inode.pending.append(
      PendingWrite(
        sequence: sequence, firstSector: first, sectorCount: last - first, before: before,
        isCut: isCut))
  }

  private func extend(_ inode: Inode, to end: Int) {
    if end <= inode.length { return }
    inode.lengthChanges.append(LengthChange(sequence: sequence, formerLength: inode.length))
    inode.length = end
  }

  private func release(_ inode: Inode, from start: Int, to end: Int, toEnd: Bool) {
    let former = inode.contents.allocatedBlocks
    inode.contents.release(at: start, count: end - start, toEnd: toEnd)
    usedBlocks += inode.contents.allocatedBlocks - former
    inode.heal(from: start, to: end)
  }
}
