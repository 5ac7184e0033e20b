internal import Platform

/// What somebody who reads on between pins has published: the snapshot that he reads at, and the
/// records in his hands. A block of raw memory in a list that only grows; a free one is taken
/// again.
///
/// ```
/// OFFSET SIZE DESCRIPTION
///      0    8 address of the next one in the list; never changes once this one is in it
///      8    8 snapshot word: see below
///     16    8 of run 0, the held part: index of its first address (bits 32-63) and after its last
///     24    8 of run 1
///     32   32 zero: stands for a record with neither key nor value
///     64 4096 run 0: addresses of records, and bit 1: see `unlooked`
///   4160 4096 run 1
///   8256   64 window 0: addresses of run 0 that were looked at, for the reader alone
///   8320   64 window 1
/// ```
/// A run is a ring: an index counts on beyond its end, modulo 2^32, and means the place that it has
/// modulo the capacity.
///
/// The *snapshot word* is 0: free; B | 1: taken, its S will be at or above B; S: every version that
/// a reader at S may need is kept; 2: taken, without a snapshot.
///
/// Invariants:
/// - Only the one who took it writes runs and held parts, and writes addresses only while pinned
///   by a pin that began before their records could be unlinked. An address stays in its place: who
///   looks at a run meanwhile might miss one that moves.
/// - Addresses and held parts are stored with release and loaded with acquire: whoever no longer finds an
///   address there frees its record after the last look that the reader took at it.
/// - What a held part names is not freed. So whoever frees looks at the pins first, and at the held
///   parts afterwards: an address that is entered later is one that its pin protected then.
///
/// Safe because readers live as long as the reclaimer that made them.
@safe struct Reader: Equatable, Sendable {
  // Words and nothing else; the address never changes.
  nonisolated(unsafe) let base: UnsafeMutableRawPointer

  /// Addresses that one run takes; a power of two.
  static let runCapacity = 512
  /// Addresses that one window takes.
  static let windowCapacity = 8
  private static let windows = 64 + 2 * 8 * runCapacity
  static let size = windows + 2 * 8 * windowCapacity

  /// Beside an address of a run: what it stands for at the snapshot has to be looked at first.
  /// The bit that tells settled words of a leaf, the other way round: so who copies one has it in one step.
  static let unlooked: UInt64 = 2

  static let free: UInt64 = 0
  static let claiming: UInt64 = 1
  static let withoutSnapshot: UInt64 = 2

  @unsafe
  private init(_ base: UnsafeMutableRawPointer) { unsafe self.base = base }

  @inline(__always)
  init?(address: UInt64) {
    guard let base = unsafe UnsafeMutableRawPointer(bitPattern: UInt(address)) else { return nil }
    unsafe self.base = base
  }

  @inline(__always) var address: UInt64 { unsafe UInt64(UInt(bitPattern: base)) }

  @inline(__always)
  static func == (left: Reader, right: Reader) -> Bool { unsafe left.base == right.base }

  @inline(__always) var next: WordRef { unsafe WordRef(base, 0) }
  @inline(__always) var snapshot: WordRef { unsafe WordRef(base, 8) }
  @inline(__always) func heldPart(_ run: Int) -> WordRef { unsafe WordRef(base, 16 &+ 8 &* run) }

  @unsafe @inline(__always)
  func window(_ number: Int) -> UnsafeMutablePointer<UInt64> {
    let offset = Reader.windows &+ 8 &* number &* Reader.windowCapacity
    return unsafe (base + offset).assumingMemoryBound(to: UInt64.self)
  }

  /// The words of a run, for the reader alone: others only read them.
  @unsafe @inline(__always)
  func slots(_ run: Int) -> UnsafeMutablePointer<UInt64> {
    unsafe (base + (64 &+ 8 &* run &* Reader.runCapacity)).assumingMemoryBound(to: UInt64.self)
  }

  /// The place in a run that an index means.
  @inline(__always)
  static func place(_ index: Int) -> Int { index & (runCapacity &- 1) }

  /// Stands for a record with neither key nor value.
  @unsafe @inline(__always)
  var emptyRecord: UnsafeRawPointer { unsafe UnsafeRawPointer(base + 32) }

  /// Word `index` of a run.
  @inline(__always)
  func record(_ run: Int, _ index: Int) -> WordRef {
    unsafe WordRef(base, 64 &+ 8 &* (run &* Reader.runCapacity &+ Reader.place(index)))
  }

  /// Publishes which addresses of a run are held, after they were written and before the pin ends.
  @inline(__always)
  func hold(_ run: Int, _ first: Int, _ end: Int) {
    let (first, end) = (UInt32(truncatingIfNeeded: first), UInt32(truncatingIfNeeded: end))
    heldPart(run).store(UInt64(first) << 32 | UInt64(end))
  }

  static func build(snapshot: UInt64) -> Reader {
    let base = UnsafeMutableRawPointer.allocate(byteCount: size, alignment: 64)
    unsafe base.initializeMemory(as: UInt8.self, repeating: 0, count: size)
    unsafe WordRef.initialize(base, 8, snapshot)
    return unsafe Reader(base)
  }
}

/// The readers of one reclaimer, and how many of them have a snapshot.
///
/// ```
/// OFFSET SIZE DESCRIPTION
///      0    8 address of the first reader in the list
///     64    8 readers with a snapshot, those that are about to have one included
/// ```
///
/// Safe because its block lives as long as the reclaimer.
@safe struct ReaderList: Sendable {
  // Words and nothing else; the address never changes.
  nonisolated(unsafe) private let base: UnsafeMutableRawPointer
  static let size = 128

  @unsafe @inline(__always)
  init(_ base: UnsafeMutableRawPointer) { unsafe self.base = base }

  @inline(__always) private var head: WordRef { unsafe WordRef(base, 0) }
  @inline(__always) var snapshots: WordRef { unsafe WordRef(base, 64) }

  @inline(__always) var first: Reader? { Reader(address: head.load()) }

  /// A reader of the caller's, whose snapshot word is `word` (not 0).
  func take(_ word: UInt64) -> Reader {
    var candidate = first
    while let reader = candidate {
      if reader.snapshot.loadRelaxed() == Reader.free
        && reader.snapshot.compareExchange(expected: Reader.free, desired: word)
      {
        return reader
      }
      candidate = Reader(address: reader.next.loadRelaxed())
    }
    let new = Reader.build(snapshot: word)
    while true {
      let former = head.load()
      new.next.storeRelaxed(former)
      if head.compareExchange(expected: former, desired: new.address) { return new }
    }
  }

  /// Gives a reader back: it holds nothing any more.
  func giveBack(_ reader: Reader) {
    reader.heldPart(0).store(0)
    reader.heldPart(1).store(0)
    reader.snapshot.store(Reader.free)
  }

  /// Frees all. Only when no reader is taken any more.
  func destroy() {
    var rest = Reader(address: head.exchange(0))
    while let reader = rest {
      rest = Reader(address: reader.next.load())
      unsafe reader.base.deallocate()
    }
  }
}
