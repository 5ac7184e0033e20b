import Platform

/// Gives the space of dead records back: empties page segments of which little is live, so that they
/// can be removed.
///
/// Steps for one segment (readers and writers go on meanwhile; nobody waits for the cleaner):
/// 1. Choose the segment (`CleaningPolicy`). Nobody appends to it.
/// 2. Read it from beginning to end. Every good record says what it is: the image of a leaf or of a
///    chunk names its tree and its low key. Lists and tables are written anew by every checkpoint.
/// 3. If the page that begins there still names the record, write the page elsewhere, into the cold
///    stream, under the page's claim; if somebody else has the claim, leave it.
/// 4. The page names the new record before the old one is released. So a crash at any moment leaves
///    a checkpoint whose records are all where it says: what it names is removed by nobody before
///    a later superblock is durable (`PageStore.reclaim`).
///    A chunk whose image is in the segment is written by the next checkpoint.
///
/// A second one cleans the value segments: a value names its tree and key. Step 3 changes the
/// reference in the key's record (`BLinkTree.relocateValue`), and the leaf is dirty then. Large
/// commits are dead, or about to be.
///
/// `lock` is held while a segment is cleaned. Whoever frees a tree's memory takes it first.
final class Cleaner: @unchecked Sendable {
  // Unchecked: what is var is guarded by `lock`.
  private let pages: PageStore
  private let catalogue: Catalogue
  private let policy: CleaningPolicy
  let lock: Lock
  /// Segments that could not be emptied, with what was live in them then, ascending: as long as that
  /// does not change, another try is in vain.
  private var skipped: [(serial: UInt64, live: Int)] = []
  /// Of the segment that is being cleaned: records that somebody was at work on, and those that the
  /// next checkpoint writes anew.
  private var busy = 0
  private var replaced = 0
  private let wanted = AtomicWord(0)

  let counters = CleanerCounters()

  /// - Parameter target: per thousand of the bytes of segments that are to be live.
  init(pages: PageStore, catalogue: Catalogue, target: Int, threads: any Threads) {
    self.pages = pages
    self.catalogue = catalogue
    policy = CleaningPolicy(target: target)
    lock = Lock(threads: threads)
  }

  /// Cleans one segment, if one is worth it. Returns whether it was emptied. Blocks on I/O.
  @discardableResult
  func cleanOne() throws(LugeError) -> Bool {
    try lock.acquire()
    defer { lock.unlock() }
    // So much waits for a checkpoint already that more would only take more space.
    if try pages.isReclaimDue() { return false }
    guard let serial = try chooseVictim() else { return false }
    return try clean(serial)
  }

  /// Whether segments were left that a checkpoint will empty; asking takes the answer back.
  func takeWish() -> Bool { wanted.exchange(0) != 0 }

  private func chooseVictim() throws(LugeError) -> UInt64? {
    let segments = try pages.segmentsAtRest()
    let next = try pages.nextSegmentSerial()
    skipped.removeAll { item in
      !segments.contains { $0.serial == item.serial && $0.liveBytes == item.live }
    }
    return policy.victim(
      segments, nextSerial: next, excluded: skipped.map { item in item.serial })
  }

  private func clean(_ serial: UInt64) throws(LugeError) -> Bool {
    let trees = try catalogue.snapshot().trees
    busy = 0
    replaced = 0
    let scan: SegmentScan
    do throws(LugeError) {
      scan = try pages.scan(serial) { (record) throws(LugeError) in try settle(record, trees) }
    } catch {
      // A checkpoint has removed it meanwhile, because nothing in it was live any more.
      if error.code == .corruption, try pages.liveBytes().bytes(of: serial) == 0 { return true }
      throw error
    }
    _ = counters.bytesRead.fetchAdd(UInt64(scan.bytesRead))
    _ = counters.segmentsCleaned.fetchAdd(1)
    let live = Int(try pages.liveBytes().bytes(of: serial))
    if live == 0 {
      probe("cleaner.emptied")
      return true
    }
    probe("cleaner.leftOver")
    if replaced > 0 { wanted.store(1) }
    if busy == 0 {
      skipped.append((serial, live))
      skipped.sort { $0.serial < $1.serial }
    }
    return false
  }

  private func settle(_ record: ScannedRecord, _ trees: [BLinkTree]) throws(LugeError) {
    do throws(LugeError) {
      switch record.kind {
      case .leaf:
        let (id, low) = try LeafImage.owner(of: record.payload)
        guard let tree = trees.first(where: { tree in tree.id == id }) else { return }
        note(try tree.relocate(record, low: low))
      case .chunk:
        guard let image = ChunkImage.decode(record.payload),
          let tree = trees.first(where: { tree in tree.id == image.tree })
        else { return }
        note(try tree.relocateChunk(record.part, low: image.low))
      case .directory, .segmentTable: replaced += 1
      case .value:
        guard let (id, key) = ValueReference.owner(of: record.payload),
          let tree = trees.first(where: { tree in tree.id == id })
        else { return }
        note(try tree.relocateValue(record, key: key), isValue: true)
      case .commit: break
      }
    } catch {
      // A good checksum around no image: whoever needs it is told. A tree that goes: so does this.
      if error.code != .corruption && error.code != .treeNotFound { throw error }
    }
  }

  private func note(_ relocation: Relocation, isValue: Bool = false) {
    switch relocation {
    case .dead: break
    case .kept: probe("cleaner.valueKept")
    case .busy:
      probe("cleaner.busy")
      busy += 1
    case .replacedSoon:
      probe("cleaner.chunkMoved")
      replaced += 1
    case .moved(let bytes):
      if isValue { probe("cleaner.valueMoved") } else { probe("cleaner.moved") }
      _ = counters.recordsMoved.fetchAdd(1)
      _ = counters.bytesMoved.fetchAdd(UInt64(bytes))
    }
  }
}

/// What the cleaner has done since the database was opened.
final class CleanerCounters: Sendable {
  let segmentsCleaned = AtomicWord(0)
  let recordsMoved = AtomicWord(0)
  /// Bytes of the records that the moved pages are named by now.
  let bytesMoved = AtomicWord(0)
  let bytesRead = AtomicWord(0)
}
