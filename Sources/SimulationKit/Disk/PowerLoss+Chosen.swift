/// What a power loss is told to leave of one sector.
enum ChosenFate {
  case version(Int)
  /// The first half of what changed is of the newer version, the rest of the older one.
  case torn(old: Int, new: Int)
}

extension SimulatedDisk {
  /// A copy of the disk as a power loss would leave it that keeps exactly what `choices` say. Everything on
  /// it is durable, and no process has it mounted.
  func copy(leaving choices: [Int32], of pending: PendingChanges) -> SimulatedDisk {
    let copy = fork()
    copy.capacity = nil
    var loss = PowerLoss(disk: copy, gate: SilentGate.shared, allowed: .all)
    loss.mode = .chosen
    loss.keptNames = pending.keptNames(choices)
    loss.decideNames()
    for file in pending.files {
      // A file that no name leads to any more is gone.
      guard let inode = copy.inode(file.slot), inode.id == file.id else { continue }
      var part = FileLoss(inode, file.chains)
      part.leave(keeping: pending.keptLengths(of: file, choices), &loss) { n in
        pending.fate(of: file, n, choices)
      }
    }
    for inode in copy.inodes {
      guard let inode, !inode.isClean else { continue }
      inode.pending = []
      inode.limbo = []
      inode.lengthChanges = []
    }
    copy.recountSpace()
    return copy
  }

  /// Makes durable what was written before the change of number `limit`: a sync that was asked for then.
  func sync(_ inode: Inode, before limit: UInt64) {
    let later = inode.pending.filter { $0.sequence >= limit }
    let lengths = inode.lengthChanges.filter { $0.sequence >= limit }
    inode.pending.removeAll { $0.sequence >= limit }
    sync(inode)
    inode.pending = later
    inode.lengthChanges = lengths
  }

  /// The same for the names in a directory.
  func syncNames(_ directory: Inode, before limit: UInt64) {
    let later = nameChanges.filter { $0.sequence >= limit }
    nameChanges.removeAll { $0.sequence >= limit }
    syncNames(directory)
    nameChanges += later
  }
}
