/// The disk and the file system on it, in one model. Its state survives the processes that use it:
/// each incarnation of a process mounts it anew.
///
/// # What is modelled
///
/// **Three layers in one.** An engine's write lands in the *page cache* of the operating system. A
/// sync, or the kernel's own write-back at any moment, sends it to the drive; the drive has a
/// volatile cache of its own and empties it in any order until it is told to flush. A process that
/// is killed loses nothing of this; a machine that loses power loses whatever had not reached the
/// medium. So for every change since the last sync the answer at a power loss is open, and the model
/// asks the choice tape for it:
///
/// - *Sectors* (512 bytes). Drives promise at most that one sector is written whole. Each unsynced
///   sector is **kept** (write-back and the drive got to it), **dropped** (they did not), left as
///   an **intermediate** version of several (written back between two writes), or **torn**: a
///   prefix of the new bytes before a rest of the old ones, as drives without power-loss protection and
///   flash translation layers leave it. Sectors choose independently of one another and of order:
///   elevators, NCQ and flash controllers reorder. A block never written before reads as zeros,
///   never as another file's old bytes (ext4 and XFS keep unwritten extents; ext3 `data=writeback` did not).
/// - *File length.* A journal keeps the metadata of one file in order, so of the length changes
///   since the last sync a prefix survives. A length can be there without its data (zeros; XFS and
///   delayed allocation), and data without its length is cut off. A truncation gives its blocks
///   back only when it is itself in the journal: where it is lost, the old bytes are there and
///   later writes to that range are not.
/// - *Names.* Creations, removals and renames since the directory's last sync survive or vanish
///   independently, except that changes of one and the same name keep their order (as journals and soft
///   updates ensure), and a rename is one change, whole or not at all. A file without a surviving
///   name is gone, whatever of it was synced: POSIX promises no more, and ext4's kindness of
///   syncing a new file's name with the file is not copied. A directory is a name like any other.
///
/// **Sync.** `syncData` and `syncAll` make a file's contents and length durable, not its name;
/// `syncDirectory` makes the names in one directory durable (with a rename out of another, both
/// sides). A sync that *fails* does what Linux does: the pages are marked clean. The process goes
/// on reading what it wrote, later syncs succeed without writing those sectors, and the next power
/// loss decides on them. Writing a sector again makes it an ordinary unsynced one. Eviction of such
/// pages while the power is on is not modelled. A *lying* sync reports success and does nothing:
/// drives and virtual disks that ignore the flush command.
///
/// **A process that is killed** keeps everything it handed over, unsynced as it was: a later power
/// loss may still drop it. Its locks and open files are gone.
///
/// **Decay.** A flipped bit belongs to the medium: reads show it until the sector is written again.
/// It only falls on sectors without pending writes, because others are still to be written.
///
/// **Space.** Blocks of 4 KiB, optionally limited in number. A removed file's space is free when its last
/// handle is closed (journals keep it a little longer). Directories cost nothing.
///
/// A *latent sector error* is a sector that has become unreadable: reads that touch it fail until it is written.
///
/// **Lies.** A *misdirected read* returns what lies elsewhere in the file, a *stale read* what was there before the
/// last sync. Both happen once: who reads the same place again gets what is there, because what fails so is a
/// transfer, or a cache line, and not the medium. A *misdirected write* goes to another block of any file, over what lies there,
/// and not where it belongs; both stay so. It spares what was synced last: else it could take two groups of
/// a log with one blow, the one that it was and the one before, and nobody could tell that from an empty log.
/// All three happen only to files without pending writes, because those are in the page cache. (A misdirected write
/// shows at once, as if the page cache had forgotten it.)
///
/// **Time.** A call may take up to a second, or be *stuck* for half a minute.
///
/// **Not modelled:** hard and symbolic links, permissions, memory mapping, time stamps.
///
/// # How
///
/// Contents are kept once, as the page cache has them; each unsynced write keeps the bytes *before*
/// it. So a sync forgets a list, and only a power loss that takes something away copies bytes.
///
/// One thread at a time, as the simulated scheduler guarantees; never entered by two at once,
/// because nothing in it calls back into the scheduler.
public final class SimulatedDisk {
  /// The most bytes that files may occupy; nil: no limit.
  public var capacity: Int?

  /// The medium has done something that no engine is to blame for, whether anybody has met it or not.
  var hasRotted = false

  /// Notes what syncs make durable, so that reads can be stale and misdirected writes spare it.
  var keepsFormer = false

  /// Told of each change before it takes effect. Not of copies.
  var watch: StorageWatch?

  /// The root directory has slot 0.
  var inodes: [Inode?]
  var freeSlots: [Int] = []
  var nextID: UInt64 = 1
  /// Changes of names that are not durable, oldest first.
  var nameChanges: [NameChange] = []
  /// The number of the latest change to anything.
  var sequence: UInt64 = 0
  /// Blocks of the files that have a name or an open handle.
  var usedBlocks = 0
  /// The living processes. Weak: a disk must not keep a gate alive that keeps the disk.
  private var incarnations: [WeakIncarnation] = []

  private struct WeakIncarnation {
    weak var incarnation: Incarnation?
  }

  /// An empty file system: a root directory, "/". `capacity` in bytes; nil: no limit.
  public init(capacity: Int? = nil) {
    self.capacity = capacity
    let root = Inode(id: 0, slot: 0, isDirectory: true)
    root.links = 1
    root.references = 1
    inodes = [root]
  }

  private init(copying other: SimulatedDisk) {
    capacity = other.capacity
    keepsFormer = other.keepsFormer
    nameChanges = other.nameChanges
    sequence = other.sequence
    nextID = other.nextID
    inodes = []
    inodes.reserveCapacity(other.inodes.count)
    for inode in other.inodes {
      // A file that only a handle kept is not in a copy without handles.
      if let inode, inode.references > 0 {
        inodes.append(inode.forked())
      } else {
        freeSlots.append(inodes.count)
        inodes.append(nil)
      }
    }
    recountSpace()
  }

  /// A copy of the disk as it is, pending changes included, without processes. Shares contents with
  /// the original until either changes them.
  public func fork() -> SimulatedDisk { SimulatedDisk(copying: self) }

  /// The file system as one incarnation of a process sees it. Every call asks `gate` first. The
  /// mount keeps the gate until the process ends (`processKill`, `powerLoss`, `SimulatedFileSystem.end`).
  public func mount(_ gate: any SeamGate) -> SimulatedFileSystem {
    let incarnation = Incarnation(gate)
    incarnations.removeAll { $0.incarnation == nil }
    incarnations.append(WeakIncarnation(incarnation: incarnation))
    return SimulatedFileSystem(self, incarnation)
  }

  /// Ends every process. What they handed over stays, pending as it was; their open files and locks are gone,
  /// and their handles throw `.killed` from now on.
  public func processKill() {
    for reference in incarnations {
      if let incarnation = reference.incarnation { end(incarnation) }
    }
    incarnations = []
  }

  /// Ends one process.
  func end(_ incarnation: Incarnation) {
    for inode in incarnation.end() {
      if inode.lockOwner === incarnation { inode.lockOwner = nil }
      inode.openHandles -= 1
      settle(inode)
    }
  }

  /// Ends the machine: every process, and of everything unsynced what the draws take. Only the
  /// outcomes in `allowed` are drawn and counted. Afterwards all that is left is durable.
  @discardableResult
  public func powerLoss(
    choosing gate: any SeamGate, allowing allowed: DiskFaults = .all
  ) -> PowerLossReport {
    processKill()
    var loss = PowerLoss(disk: self, gate: gate, allowed: allowed)
    return loss.run()
  }

  /// Sectors that a power loss would decide on now, each counted once.
  public var pendingSectors: Int {
    var count = 0
    for inode in inodes {
      if let inode, inode.hasPendingData { count += SectorChains(inode).sectorCount }
    }
    return count
  }

  /// Whether anything at all is not durable.
  public var hasPendingChanges: Bool {
    if !nameChanges.isEmpty { return true }
    for inode in inodes {
      if let inode, !inode.isClean { return true }
    }
    return false
  }

  /// Bytes that files occupy, in whole blocks.
  public var allocatedBytes: Int { usedBlocks * DiskGeometry.blockSize }

  /// Handles that were opened and not closed.
  public var openHandles: Int {
    var count = 0
    for inode in inodes { count += inode?.openHandles ?? 0 }
    return count
  }
}
