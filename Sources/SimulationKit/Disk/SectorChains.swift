/// The unsynced versions of every sector of one file.
///
/// A sector that k writes touched has versions 0 (durable) to k (as the page cache has it); version
/// i is what the first i of them left.
///
/// Safe: callers of `load` lend one sector for the call.
struct SectorChains {
  /// All unsynced writes, oldest first.
  let writes: [PendingWrite]
  /// Sector and index in `writes`, ascending; the chains of the sectors one after another.
  private let links: [UInt64]
  /// Where each sector's chain begins in `links`, and the end of the last.
  private let starts: [Int]

  init(_ inode: Inode) {
    var writes = inode.pending
    if !inode.limbo.isEmpty {
      // Pieces of one write never share a sector, so their order among themselves is free.
      writes += inode.limbo
      writes.sort { $0.sequence < $1.sequence }
    }
    var links: [UInt64] = []
    links.reserveCapacity(writes.reduce(0) { $0 + $1.sectorCount })
    var index = 0
    while index < writes.count {
      var sector = writes[index].firstSector
      let end = writes[index].endSector
      while sector < end {
        links.append(UInt64(sector) << 32 | UInt64(index))
        sector += 1
      }
      index += 1
    }
    if writes.count > 1 { links.sort() }
    var starts: [Int] = []
    starts.reserveCapacity(links.count + 1)
    index = 0
    while index < links.count {
      if index == 0 || links[index] >> 32 != links[index - 1] >> 32 { starts.append(index) }
      index += 1
    }
    starts.append(links.count)
    self.writes = writes
    self.links = links
    self.starts = starts
  }

  /// Number of sectors with unsynced writes.
  var sectorCount: Int { starts.count - 1 }

  /// The n-th sector's number in the file.
  func sector(_ n: Int) -> Int { Int(links[starts[n]] >> 32) }

  /// How many writes touched the n-th sector.
  func length(_ n: Int) -> Int { starts[n + 1] - starts[n] }

  /// Index in `writes` of the write that made version `version + 1` of the n-th sector.
  func write(_ n: Int, after version: Int) -> Int {
    Int(links[starts[n] + version] & 0xFFFF_FFFF)
  }

  /// The versions that are possible where the length changes from `lostFrom` on are lost: a cut
  /// that happened took everything older, and nothing newer than a cut that did not is there.
  func window(_ n: Int, lostFrom: UInt64) -> (low: Int, high: Int) {
    var low = 0
    let count = length(n)
    var version = 0
    while version < count {
      let index = write(n, after: version)
      if writes[index].isCut {
        if writes[index].sequence >= lostFrom { return (low, version) }
        low = version + 1
      }
      version += 1
    }
    return (low, count)
  }

  /// How many of the n-th sector's writes are older than `sequence`.
  func version(_ n: Int, before sequence: UInt64) -> Int {
    let count = length(n)
    var version = 0
    while version < count, writes[write(n, after: version)].sequence < sequence { version += 1 }
    return version
  }

  /// Copies one version of the n-th sector to `target`.
  func load(
    _ version: Int, of n: Int, from contents: FileContents, to target: UnsafeMutableRawPointer
  ) {
    let size = DiskGeometry.sectorSize
    if version == length(n) {
      unsafe contents.read(target, at: sector(n) * size, count: size)
      return
    }
    let write = writes[write(n, after: version)]
    guard let before = write.before else {
      unsafe ChunkMemory.clear(target, size)
      return
    }
    let offset = write.beforeOffset + (sector(n) - write.firstSector) * size
    unsafe before.withUnsafeBytes { buffer in
      // In bounds: `before` holds every sector of the write from `beforeOffset` on.
      if let base = buffer.baseAddress {
        unsafe target.copyMemory(from: base + offset, byteCount: size)
      }
    }
  }
}
