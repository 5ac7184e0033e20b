import Platform

/// An open file of a segment, shared by everyone who reads or writes it, closed when the last one
/// has done with it.
///
/// Invariant: `uses` is twice the number of uses, plus one once the file is in no table any more;
/// whoever takes it to exactly one closes the file. (Counted by hand and not left to the language:
/// the moment of closing is seen by a simulation, and must not depend on the optimizer.)
final class SegmentFile: Sendable {
  let serial: UInt64
  let file: any File
  private let uses: AtomicWord

  /// Begins with one use: the maker's.
  init(serial: UInt64, file: any File) {
    self.serial = serial
    self.file = file
    uses = AtomicWord(2)
  }

  /// For one who knows that the file is in the table, or who has a use of it.
  func acquire() { _ = uses.fetchAdd(2) }

  func release() {
    if uses.fetchSubtract(2) == 3 { file.close() }
  }

  /// The table forgets it.
  fileprivate func drop() {
    if uses.fetchOr(1) == 0 { file.close() }
  }
}

/// The files of segments that are open: at most so many, so that a database of any size needs few
/// descriptors. Which one goes is decided by second chance.
///
/// Invariants: `lock` guards everything, is held for a few instructions and never during I/O;
/// `open` ascends by serial.
final class SegmentFiles: @unchecked Sendable {
  // Unchecked: see the first invariant.
  private struct Slot {
    let file: SegmentFile
    var isVisited: Bool
  }

  private let limit: Int
  private let lock: Lock
  private var open: [Slot] = []
  private var hand = 0

  init(limit: Int, threads: any Threads) {
    self.limit = limit
    lock = Lock(threads: threads)
  }

  /// The file of a serial if it is open; the caller then has a use of it.
  func find(_ serial: UInt64) throws(LugeError) -> SegmentFile? {
    try lock.acquire()
    defer { lock.unlock() }
    let index = place(of: serial)
    guard index < open.count, open[index].file.serial == serial else { return nil }
    open[index].isVisited = true
    open[index].file.acquire()
    return open[index].file
  }

  /// Adds an opened file. The caller keeps its use. If another thread was faster, its file stays
  /// and the caller's closes with its last use.
  func add(_ file: SegmentFile) throws(LugeError) {
    try lock.acquire()
    defer { lock.unlock() }
    let index = place(of: file.serial)
    if index < open.count, open[index].file.serial == file.serial {
      file.drop()
      return
    }
    if open.count >= limit { makeRoom() }
    open.insert(Slot(file: file, isVisited: false), at: place(of: file.serial))
  }

  /// Forgets the file of a segment that goes.
  func forget(_ serial: UInt64) throws(LugeError) {
    try lock.acquire()
    defer { lock.unlock() }
    let index = place(of: serial)
    if index < open.count, open[index].file.serial == serial {
      open.remove(at: index).file.drop()
    }
  }

  /// Closes everything that nobody uses; the rest closes with its last use.
  func closeAll() {
    // A dead process's files go with its memory.
    guard (try? lock.lock()) != nil else { return }
    defer { lock.unlock() }
    for slot in open { slot.file.drop() }
    open = []
  }

  /// One that was not used since the hand last came by goes.
  private func makeRoom() {
    while true {
      if hand >= open.count { hand = 0 }
      if !open[hand].isVisited { break }
      open[hand].isVisited = false
      hand += 1
    }
    probe("page.fileClosed")
    open.remove(at: hand).file.drop()
  }

  private func place(of serial: UInt64) -> Int {
    var low = 0
    var high = open.count
    while low < high {
      let middle = (low + high) / 2
      if open[middle].file.serial < serial { low = middle + 1 } else { high = middle }
    }
    return low
  }
}
