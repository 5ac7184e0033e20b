import EngineKit

/// One power loss: draws what becomes of everything unsynced, and does it.
///
/// The first draw is a mode, so that most power losses need few draws: *keep* everything; lose
/// *everything*; lose everything after one point of time, with the write at that point half done; or
/// *scatter*: each file, sector, length and name by itself. Zero keeps, at every draw.
struct PowerLoss {
  enum Mode {
    case keep, lose, prefix, scatter
    /// What is left was said before: see `PowerLoss+Chosen`.
    case chosen
  }

  let disk: SimulatedDisk
  let gate: any SeamGate
  let allowed: DiskFaults
  var report = PowerLossReport()

  var mode = Mode.keep
  /// In the mode `chosen`: the numbers of the changes of names that are kept.
  var keptNames: [UInt64] = []
  /// In the modes `lose` and `prefix`: changes from this number on are lost.
  private(set) var threshold = UInt64.max
  /// The first change that was lost and the last that was not, where sectors choose freely.
  var earliestLost = UInt64.max
  var latestKept: UInt64 = 0

  init(disk: SimulatedDisk, gate: any SeamGate, allowed: DiskFaults) {
    self.disk = disk
    self.gate = gate
    self.allowed = allowed
  }

  mutating func run() -> PowerLossReport {
    var files: [(inode: Inode, chains: SectorChains)] = []
    for inode in disk.inodes {
      guard let inode, !inode.isClean else { continue }
      let chains = SectorChains(inode)
      report.pendingSectors += chains.sectorCount
      if !inode.lengthChanges.isEmpty { report.pendingLengths += 1 }
      files.append((inode, chains))
    }
    report.pendingNames = disk.nameChanges.count
    if !files.isEmpty || !disk.nameChanges.isEmpty { chooseMode() }

    decideNames()
    for file in files {
      // Nobody can tell what became of a file that no name leads to.
      if mode != .keep, disk.inode(file.inode.slot) === file.inode {
        var loss = FileLoss(file.inode, file.chains)
        loss.decide(&self)
      }
      file.inode.pending = []
      file.inode.limbo = []
      file.inode.lengthChanges = []
    }
    disk.recountSpace()
    if earliestLost < latestKept { report.reorderedWrites += 1 }
    publish()
    return report
  }

  private mutating func chooseMode() {
    var modes: [Mode] = [.keep]
    if !allowed.isDisjoint(with: [.droppedWrite, .lostLength, .lostDirectoryEntry]) {
      modes += [.lose, .prefix]
    }
    if !allowed.isEmpty { modes.append(.scatter) }
    if modes.count == 1 { return }
    mode = modes[Int(gate.draw("loss.mode", below: UInt64(modes.count)))]
    if mode == .lose { threshold = 0 }
    if mode == .prefix { threshold = choosePoint() }
  }

  /// Draws how many of the latest changes are lost.
  private func choosePoint() -> UInt64 {
    var points: [UInt64] = []
    for inode in disk.inodes {
      guard let inode else { continue }
      for write in inode.pending { points.append(write.sequence) }
      for write in inode.limbo { points.append(write.sequence) }
      for change in inode.lengthChanges { points.append(change.sequence) }
    }
    for change in disk.nameChanges { points.append(change.sequence) }
    points.sort()
    var distinct: [UInt64] = []
    for point in points where distinct.last != point { distinct.append(point) }
    let lost = Int(gate.draw("loss.point", below: UInt64(distinct.count + 1)))
    return lost == 0 ? .max : distinct[distinct.count - lost]
  }

  mutating func decideNames() {
    let changes = disk.nameChanges
    disk.nameChanges = []
    if changes.isEmpty { return }
    var lost: [NameChange] = []
    for change in changes {
      if isLost(change, after: lost) {
        lost.append(change)
      } else {
        for assignment in change.assignments {
          let directory = disk.inode(assignment.directory)
          directory?.durableEntries.assign(assignment.name, assignment.target)
        }
      }
    }
    for change in lost where isVisible(change) { report.lostNames += 1 }
    for inode in disk.inodes {
      if let inode, inode.isDirectory { inode.entries = inode.durableEntries }
    }
    disk.recountReferences()
  }

  private func isLost(_ change: NameChange, after lost: [NameChange]) -> Bool {
    if !allowed.contains(.lostDirectoryEntry) { return false }
    switch mode {
    case .keep: return false
    case .lose, .prefix: return change.sequence >= threshold
    case .chosen: return !keptNames.contains(change.sequence)
    case .scatter:
      for earlier in lost where earlier.isNeeded(by: change) { return true }
      return gate.draw("loss.name", below: 2) == 1
    }
  }

  /// Whether a name that the lost change concerned leads elsewhere than it did.
  private func isVisible(_ change: NameChange) -> Bool {
    for assignment in change.assignments {
      guard let directory = disk.inode(assignment.directory) else { continue }
      let now = directory.durableEntries.find(assignment.name)
      if now != directory.entries.find(assignment.name) { return true }
    }
    return false
  }

  private func publish() {
    count(.droppedWrite, report.droppedWrites)
    count(.tornWrite, report.tornWrites)
    count(.reorderedWrite, report.reorderedWrites)
    count(.lostLength, report.lostLengths)
    count(.lostDirectoryEntry, report.lostNames)
    gate.record(
      "powerLoss", UInt64(report.pendingSectors),
      UInt64(report.droppedWrites + report.tornWrites + report.reorderedWrites),
      UInt64(report.lostLengths + report.lostNames))
  }

  private func count(_ fault: FaultClass, _ times: Int) {
    var left = times
    while left > 0 {
      gate.count(fault)
      left -= 1
    }
  }
}
