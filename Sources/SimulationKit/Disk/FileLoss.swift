/// What one power loss does to the contents and the length of one file.
///
/// Safe: `scratch` holds two sectors and belongs to this value; every place in it is below that.
struct FileLoss {
  /// Sectors that share one draw.
  private static let groupSize = 8
  /// How many of a sector's versions between the durable and the newest one may survive: the
  /// latest ones.
  private static let mostIntermediates = 12

  /// What a sector becomes.
  private enum Fate {
    case version(Int)
    case torn(low: Int, high: Int)
  }

  private let inode: Inode
  private let chains: SectorChains
  /// Length changes from this number on are lost.
  private var lostFrom = UInt64.max
  private var finalLength: Int
  private let scratch = ChunkMemory(byteCount: 2 * DiskGeometry.sectorSize)

  init(_ inode: Inode, _ chains: SectorChains) {
    self.inode = inode
    self.chains = chains
    finalLength = inode.length
  }

  mutating func decide(_ loss: inout PowerLoss) {
    decideLength(&loss)
    switch loss.mode {
    case .keep, .chosen: break
    case .lose, .prefix: decideInOrder(&loss)
    case .scatter: decideFreely(&loss)
    }
    settleLength(&loss)
  }

  /// Leaves the first `kept` length changes and, of the n-th sector, what `fate` says of the versions
  /// that are possible then.
  mutating func leave(
    keeping kept: Int, _ loss: inout PowerLoss, fate: (Int) -> ChosenFate
  ) {
    let changes = inode.lengthChanges
    if kept < changes.count {
      lostFrom = changes[kept].sequence
      finalLength = changes[kept].formerLength
    }
    var n = 0
    while n < chains.sectorCount {
      let (low, high) = chains.window(n, lostFrom: lostFrom)
      switch fate(n) {
      case .version(let version):
        apply(.version(min(max(version, low), high)), n, low, high, &loss)
      case .torn(let old, let new):
        let first = min(max(old, low), high)
        apply(.torn(low: first, high: min(max(new, first), high)), n, low, high, &loss)
      }
      n += 1
    }
    settleLength(&loss)
  }

  /// The file has its final length, and nothing beyond it.
  private func settleLength(_ loss: inout PowerLoss) {
    if finalLength != inode.length { loss.report.lostLengths += 1 }
    if loss.mode == .chosen, finalLength == inode.length { return }
    inode.length = finalLength
    let end = inode.contents.chunkCount * DiskGeometry.chunkSize
    if finalLength < end {
      inode.contents.release(at: finalLength, count: end - finalLength, toEnd: true)
    }
    inode.damage.removeAll { $0.position >= finalLength }
  }

  private mutating func decideLength(_ loss: inout PowerLoss) {
    let changes = inode.lengthChanges
    guard loss.allowed.contains(.lostLength), !changes.isEmpty else { return }
    var kept = changes.count
    if loss.mode == .scatter {
      kept -= Int(loss.gate.draw("loss.length", below: UInt64(changes.count + 1)))
    } else {
      while kept > 0, changes[kept - 1].sequence >= loss.threshold { kept -= 1 }
    }
    if kept == changes.count { return }
    lostFrom = changes[kept].sequence
    finalLength = changes[kept].formerLength
  }

  /// What happened before one point of time is there, what happened after it is not, and the write
  /// at that point got as far as a drawn sector.
  private func decideInOrder(_ loss: inout PowerLoss) {
    var reached = 0
    var tornSector = -1
    if loss.allowed.contains(.droppedWrite), loss.mode == .prefix {
      for write in inode.pending where write.sequence == loss.threshold && !write.isCut {
        reached = Int(loss.gate.draw("loss.reached", below: UInt64(write.sectorCount)))
        reached += write.firstSector
        if loss.allowed.contains(.tornWrite), loss.gate.draw("loss.tear", below: 2) == 1 {
          tornSector = reached
        }
      }
    }
    var n = 0
    while n < chains.sectorCount {
      let (low, high) = chains.window(n, lostFrom: lostFrom)
      var fate = Fate.version(high)
      if loss.allowed.contains(.droppedWrite) {
        let version = chains.version(n, before: loss.threshold)
        let isAtPoint =
          version < high && version >= low
          && chains.writes[chains.write(n, after: version)].sequence == loss.threshold
        if isAtPoint && chains.sector(n) == tornSector {
          fate = .torn(low: version, high: version + 1)
        } else if isAtPoint && chains.sector(n) < reached {
          fate = .version(version + 1)
        } else {
          fate = .version(min(max(version, low), high))
        }
      }
      apply(fate, n, low, high, &loss)
      n += 1
    }
  }

  /// Each sector by itself, unless the whole file is kept or dropped by one draw.
  private func decideFreely(_ loss: inout PowerLoss) {
    let outcomes: DiskFaults = [.droppedWrite, .tornWrite, .reorderedWrite]
    if chains.sectorCount == 0 || loss.allowed.isDisjoint(with: outcomes) {
      keep(0, chains.sectorCount, &loss)
      return
    }
    let mayDrop = loss.allowed.isSuperset(of: [.droppedWrite, .reorderedWrite])
    switch loss.gate.draw("loss.file", below: mayDrop ? 3 : 2) {
    case 0: keep(0, chains.sectorCount, &loss)
    case 1:
      var first = 0
      while first < chains.sectorCount {
        decideGroup(first, min(first + FileLoss.groupSize, chains.sectorCount), mayDrop, &loss)
        first += FileLoss.groupSize
      }
    default:
      var n = 0
      while n < chains.sectorCount {
        let (low, high) = chains.window(n, lostFrom: lostFrom)
        apply(.version(low), n, low, high, &loss)
        n += 1
      }
    }
  }

  private func keep(_ first: Int, _ end: Int, _ loss: inout PowerLoss) {
    var n = first
    while n < end {
      let (low, high) = chains.window(n, lostFrom: lostFrom)
      apply(.version(high), n, low, high, &loss)
      n += 1
    }
  }

  /// One draw for several sectors: the product of their numbers of outcomes.
  private func decideGroup(
    _ first: Int, _ end: Int, _ mayDrop: Bool, _ loss: inout PowerLoss
  ) {
    var product: UInt64 = 1
    var n = first
    while n < end {
      product *= UInt64(outcomes(n, mayDrop, loss.allowed))
      n += 1
    }
    if product == 1 {
      keep(first, end, &loss)
      return
    }
    var drawn = loss.gate.draw("loss.sectors", below: product)
    n = first
    while n < end {
      let count = UInt64(outcomes(n, mayDrop, loss.allowed))
      let (low, high) = chains.window(n, lostFrom: lostFrom)
      var choice = Int(drawn % count)
      drawn /= count
      var fate = Fate.version(high)
      if choice > 0 && mayDrop {
        if choice == 1 { fate = .version(low) }
        choice -= 1
      }
      if choice > 0 && loss.allowed.contains(.tornWrite) {
        if choice == 1 { fate = .torn(low: low, high: high) }
        choice -= 1
      }
      if choice > 0 { fate = .version(high - choice) }
      apply(fate, n, low, high, &loss)
      n += 1
    }
  }

  /// In how many ways the n-th sector can come out.
  private func outcomes(_ n: Int, _ mayDrop: Bool, _ allowed: DiskFaults) -> Int {
    let (low, high) = chains.window(n, lostFrom: lostFrom)
    if low == high || visibleBytes(n) == 0 { return 1 }
    var count = 1
    if mayDrop { count += 1 }
    if allowed.contains(.tornWrite) { count += 1 }
    if allowed.contains(.reorderedWrite) {
      count += min(high - low - 1, FileLoss.mostIntermediates)
    }
    return count
  }

  /// How much of the n-th sector the final length shows.
  private func visibleBytes(_ n: Int) -> Int {
    max(0, min(DiskGeometry.sectorSize, finalLength - chains.sector(n) * DiskGeometry.sectorSize))
  }

  /// Gives the n-th sector its fate and counts what is to be seen of it. `low` and `high` are the
  /// oldest and the newest version that the surviving length changes leave possible.
  private func apply(_ fate: Fate, _ n: Int, _ low: Int, _ high: Int, _ loss: inout PowerLoss) {
    switch fate {
    case .version(let version):
      if version == high {
        if high > low {
          let write = chains.writes[chains.write(n, after: high - 1)]
          loss.latestKept = max(loss.latestKept, write.sequence)
        }
        if high < chains.length(n) { restore(high, n) }
        return
      }
      if differ(version, high, n) {
        if loss.mode == .scatter {
          let write = chains.writes[chains.write(n, after: version)]
          loss.earliestLost = min(loss.earliestLost, write.sequence)
        }
        if loss.mode == .scatter && version > low {
          loss.report.reorderedWrites += 1
        } else {
          loss.report.droppedWrites += 1
        }
      }
      restore(version, n)
    case .torn(let old, let new):
      guard let (first, last) = difference(old, new, n), first < last else {
        apply(.version(new), n, low, high, &loss)
        return
      }
      // At least one changed byte is new and one is old.
      let cut = first + 1 + Int(loss.gate.draw("loss.cut", below: UInt64(last - first)))
      let half = DiskGeometry.sectorSize
      unsafe (scratch.bytes + cut).copyMemory(
        from: scratch.bytes + half + cut, byteCount: half - cut)
      put(n)
      loss.report.tornWrites += 1
    }
  }

  private func restore(_ version: Int, _ n: Int) {
    unsafe chains.load(version, of: n, from: inode.contents, to: scratch.bytes)
    put(n)
  }

  /// Writes the first half of `scratch` into the n-th sector.
  private func put(_ n: Int) {
    let offset = chains.sector(n) * DiskGeometry.sectorSize
    unsafe inode.contents.write(scratch.bytes, at: offset, count: DiskGeometry.sectorSize)
    inode.heal(from: offset, to: offset + DiskGeometry.sectorSize)
  }

  /// Whether two versions differ in what the final length shows.
  private func differ(_ one: Int, _ two: Int, _ n: Int) -> Bool {
    let size = DiskGeometry.sectorSize
    unsafe chains.load(one, of: n, from: inode.contents, to: scratch.bytes)
    unsafe chains.load(two, of: n, from: inode.contents, to: scratch.bytes + size)
    return unsafe !ChunkMemory.equal(scratch.bytes, scratch.bytes + size, visibleBytes(n))
  }

  /// The first and the last byte in which two versions differ to be seen. Leaves the new version in
  /// the first half of `scratch`, the old one in the second.
  private func difference(_ old: Int, _ new: Int, _ n: Int) -> (first: Int, last: Int)? {
    let size = DiskGeometry.sectorSize
    unsafe chains.load(new, of: n, from: inode.contents, to: scratch.bytes)
    unsafe chains.load(old, of: n, from: inode.contents, to: scratch.bytes + size)
    return unsafe ChunkMemory.difference(scratch.bytes, scratch.bytes + size, visibleBytes(n))
  }
}
