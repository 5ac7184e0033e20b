/// A file or a directory of the simulated file system, with what is known of it and not yet durable.
///
/// Invariants:
/// 1. `pending` and `limbo` are in ascending order of `sequence`.
/// 2. Undoing every entry of both, newest first, and the length changes gives the durable contents.
/// 3. A directory has no contents, a file no entries.
final class Inode {
  /// Never used twice on a disk; also names the file in the trace.
  let id: UInt64
  /// Its place in the disk's table; free for another once this is gone.
  let slot: Int
  let isDirectory: Bool

  /// What reads see: the page cache.
  var contents = FileContents()
  /// Length in bytes, as the page cache has it.
  var length = 0

  /// Writes since the last sync, oldest first.
  var pending: [PendingWrite] = []
  /// Single sectors whose sync failed: no later sync writes them, a power loss decides on them.
  var limbo: [PendingWrite] = []
  /// Changes of the length since the last sync, oldest first.
  var lengthChanges: [LengthChange] = []
  /// Bits that have flipped on the medium; reads show them.
  var damage: [BitDamage] = []

  /// Sectors that cannot be read until they are written; in no order.
  var unreadable: [Int] = []
  /// What the last sync made durable, as what it takes to undo it: for reads that are stale. Kept where the disk
  /// is asked to.
  var former: [PendingWrite] = []
  /// The range that a read was wrong about: the next one that touches it is right.
  var liedAbout: Range<Int>?
  /// The last write of this file went elsewhere.
  var lastWentAstray = false

  /// A directory's names as processes see them, and as the disk would have them after a power loss.
  var entries = DirectoryTable()
  var durableEntries = DirectoryTable()

  /// Names in `entries` of some directory that lead here (0 or 1; the root has 1).
  var links = 0
  /// All mentions: in `entries`, in `durableEntries`, in pending name changes.
  var references = 0
  var openHandles = 0
  /// Whether its blocks are counted as used: it has a name or an open handle.
  var holdsSpace = true
  /// The process that holds the lock on this file.
  var lockOwner: Incarnation?

  init(id: UInt64, slot: Int, isDirectory: Bool) {
    self.id = id
    self.slot = slot
    self.isDirectory = isDirectory
  }

  /// A copy that shares the chunks of contents, without handles and locks.
  func forked() -> Inode {
    let copy = Inode(id: id, slot: slot, isDirectory: isDirectory)
    copy.contents = contents
    copy.length = length
    copy.pending = pending
    copy.limbo = limbo
    copy.lengthChanges = lengthChanges
    copy.damage = damage
    copy.unreadable = unreadable
    copy.former = former
    copy.liedAbout = liedAbout
    copy.lastWentAstray = lastWentAstray
    copy.entries = entries
    copy.durableEntries = durableEntries
    copy.links = links
    copy.references = references
    copy.holdsSpace = holdsSpace
    return copy
  }

  /// A write over a damaged or unreadable sector ends that.
  func heal(from start: Int, to end: Int) {
    if damage.isEmpty && unreadable.isEmpty { return }
    let first = start / DiskGeometry.sectorSize
    let last = DiskGeometry.sectors(upTo: end)
    damage.removeAll {
      $0.position >= first * DiskGeometry.sectorSize
        && $0.position < last * DiskGeometry.sectorSize
    }
    unreadable.removeAll { $0 >= first && $0 < last }
  }

  var hasPendingData: Bool { !pending.isEmpty || !limbo.isEmpty }
  /// Whether a sync would change what is durable.
  var hasWorkForSync: Bool { !pending.isEmpty || !lengthChanges.isEmpty }
  var isClean: Bool { pending.isEmpty && limbo.isEmpty && lengthChanges.isEmpty }
}

/// A write (or a cut by truncation) that is not known to be durable, as what it takes to undo it.
struct PendingWrite {
  /// When it happened, in the disk's one order of changes.
  var sequence: UInt64
  var firstSector: Int
  var sectorCount: Int
  /// The sectors' bytes before it; nil when all were zero. Shared by the pieces of a split write.
  var before: [UInt8]?
  /// Where the first sector's bytes begin in `before`.
  var beforeOffset = 0
  /// True for the range that a truncation cut off: it happens with the length change of the same
  /// `sequence`, or not at all.
  var isCut = false

  var endSector: Int { firstSector + sectorCount }
}

/// A change of a file's length that is not known to be durable.
struct LengthChange {
  var sequence: UInt64
  var formerLength: Int
}

/// One flipped bit.
struct BitDamage {
  /// Byte position in the file.
  var position: Int
  /// A single bit.
  var mask: UInt8
  /// Whether a read has met it, so that it is counted once.
  var isMet: Bool
}
