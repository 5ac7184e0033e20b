public import EngineKit

/// What there is to know about one class of fault: printed by `simulate list`, and the place where
/// a new class is added. A test holds it to one entry a class.
public struct FaultDescription: Sendable {
  /// Who produces a class.
  public enum Origin: String, Sendable {
    /// The world ends a process or the machine.
    case crash = "crash"
    /// A power loss chooses it for something unsynced.
    case powerLoss = "power loss"
    /// A call of the file system meets it.
    case call = "call"
    /// A named fault point answers with it.
    case faultPoint = "fault point"
  }

  public var fault: FaultClass
  public var origin: Origin
  /// What happens, in one line.
  public var summary: String
  /// When it counts: what must have met it.
  public var countedWhen: String
  /// Where the world does this to us.
  public var seenIn: String
}

/// Every class of fault, in the order of `FaultClass`.
public enum FaultCatalogue {
  /// The description of a class.
  public static func describe(_ fault: FaultClass) -> FaultDescription? {
    for description in all where description.fault == fault { return description }
    return nil
  }

  public static let all: [FaultDescription] = [
    FaultDescription(
      fault: .processKill, origin: .crash,
      summary: "the process ends at a seam call; what it handed over stays, synced or not",
      countedWhen: "a living process was ended",
      seenIn: "kill -9, out-of-memory killer, abort"),
    FaultDescription(
      fault: .powerLoss, origin: .crash,
      summary: "the machine stops; what was not synced is kept, dropped, torn or reordered",
      countedWhen: "a running machine was stopped",
      seenIn: "power cut, kernel panic, hypervisor reset"),
    FaultDescription(
      fault: .droppedWrite, origin: .powerLoss,
      summary: "an unsynced sector is as it was at the last sync",
      countedWhen: "a sector came back with other bytes than were written last",
      seenIn: "page cache not written back, volatile drive cache"),
    FaultDescription(
      fault: .tornWrite, origin: .powerLoss,
      summary: "an unsynced sector is new up to some byte and old from there",
      countedWhen: "a sector came back with bytes of two versions",
      seenIn: "drives without power-loss protection, flash translation layers"),
    FaultDescription(
      fault: .reorderedWrite, origin: .powerLoss,
      summary: "an older unsynced version survives, or a later write without an earlier one",
      countedWhen: "a sector came back at an intermediate version, or out of order with another",
      seenIn: "I/O schedulers, command queueing, write-back in any order"),
    FaultDescription(
      fault: .lostLength, origin: .powerLoss,
      summary: "an unsynced change of a file's length is lost",
      countedWhen: "a file came back with another length",
      seenIn: "metadata journals, delayed allocation"),
    FaultDescription(
      fault: .lostDirectoryEntry, origin: .powerLoss,
      summary: "an unsynced creation, removal or renaming is lost",
      countedWhen: "a name came back leading elsewhere, or nowhere",
      seenIn: "a missing directory sync on any file system"),
    FaultDescription(
      fault: .readError, origin: .call,
      summary: "a read or a listing fails with EIO",
      countedWhen: "the call failed", seenIn: "latent sector errors, cables, controllers"),
    FaultDescription(
      fault: .writeError, origin: .call,
      summary: "a write or a change of names fails with EIO; a write may have done a part",
      countedWhen: "the call failed", seenIn: "worn flash, thin-provisioned volumes, network disks"),
    FaultDescription(
      fault: .noSpace, origin: .call,
      summary: "a write, allocation or creation fails with ENOSPC, or takes less than asked",
      countedWhen: "the call failed or took less", seenIn: "full disks, quotas"),
    FaultDescription(
      fault: .shortRead, origin: .call,
      summary: "a read returns fewer bytes than asked and there are",
      countedWhen: "the call returned less", seenIn: "signals, network and FUSE file systems"),
    FaultDescription(
      fault: .shortWrite, origin: .call,
      summary: "a write takes fewer bytes than asked",
      countedWhen: "the call took less", seenIn: "signals, quotas, nearly full disks"),
    FaultDescription(
      fault: .syncFailure, origin: .call,
      summary: "a sync fails, its pages are dropped and marked clean, the next sync succeeds",
      countedWhen: "the call failed", seenIn: "Linux after a failed write-back (fsyncgate)"),
    FaultDescription(
      fault: .bitRot, origin: .call,
      summary: "a bit on the medium flips while nobody looks",
      countedWhen: "a read returned the flipped bit", seenIn: "media decay, firmware, memory"),
    FaultDescription(
      fault: .latency, origin: .call,
      summary: "a read, write or sync takes up to a second of virtual time",
      countedWhen: "the call waited", seenIn: "garbage collection of flash, noisy neighbours"),
    FaultDescription(
      fault: .faultPointError, origin: .faultPoint,
      summary: "a named fault point answers with an error",
      countedWhen: "the point threw", seenIn: "any failure that the engine anticipates"),
    FaultDescription(
      fault: .faultPointDelay, origin: .faultPoint,
      summary: "a named fault point takes long",
      countedWhen: "the point waited", seenIn: "a thread that is not scheduled for a while"),
    FaultDescription(
      fault: .faultPointKill, origin: .faultPoint,
      summary: "a named fault point kills the process",
      countedWhen: "the process ended there", seenIn: "a crash between two steps of a protocol"),
    FaultDescription(
      fault: .lyingSync, origin: .call,
      summary: "a sync reports success and does nothing",
      countedWhen: "a sync with something to do did nothing",
      seenIn: "drives and virtual disks that ignore the flush command"),
    FaultDescription(
      fault: .misdirectedRead, origin: .call,
      summary: "a read returns what lies elsewhere in the file; the next one is right",
      countedWhen: "the call returned bytes of another place",
      seenIn: "drive firmware, RAID controllers, bugs in block layers"),
    FaultDescription(
      fault: .misdirectedWrite, origin: .call,
      summary: "a write goes to another block, over what lies there; the file's next one does not",
      countedWhen: "the bytes went elsewhere", seenIn: "drive firmware, RAID controllers"),
    FaultDescription(
      fault: .staleRead, origin: .call,
      summary: "a read returns what was there before the last sync; the next one is right",
      countedWhen: "the call returned bytes that were overwritten",
      seenIn: "lost cache lines of drives, mirrors that have diverged, network disks"),
    FaultDescription(
      fault: .latentSectorError, origin: .call,
      summary: "a sector cannot be read any more, until it is written",
      countedWhen: "a read found the sector gone", seenIn: "every kind of drive, with age"),
    FaultDescription(
      fault: .stuckCall, origin: .call,
      summary: "a read, write or sync takes half a minute of virtual time",
      countedWhen: "the call waited", seenIn: "drives that try again, paths that fail over"),
  ]
}
