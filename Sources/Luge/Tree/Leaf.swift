internal import Platform

/// A leaf: one raw allocation. Readers see it change only in its words.
///
/// ```
/// OFFSET SIZE DESCRIPTION
///      0    8 flags word: dirty, base-only, visits (both bits are set while nobody counts), unused, partial,
///             scanned
///      8    8 weight word: keys, values and 8 an entry, in bytes, about; a hint for splitting
///     16    8 right page, or 0 in the last leaf
///     24    4 n, entries in key order
///     28    4 a, append words
///     32    4 p, length of the prefix that the n keys share
///     36    4 h, length of the high key
///     40    4 bit 0: there is a high key, else no key is too high; bit 1: keys are expected to ascend
///     44    4 bytes of the allocation
///     48    8 the first eight bytes of the prefix, big-endian, zeros for missing ones
///     56    8 the same of the high key; the greatest number when there is none
///     64  8*n heads: eight bytes of each key after the prefix, big-endian
///       + 8*n words of the entries, in the same order
///       + 8*a append words, for keys that are not among the n
///       +   8 number of append words, from the first on, that are known to ascend by key; 0 unless
///             that is expected
///       +   8 the records of settled words were committed below this LSN
///       +   p the prefix
///       +   h the high key
/// ```
/// A *word* is the address of a record (bits 4-47), sixteen bits of its key's hash (48-63), bit 0:
/// frozen, and bit 1: settled, of a word in key order whose record was committed, has its value, and had
/// no predecessor when the leaf was built. It stays so for as long as the word has it, so a rebuild
/// need not look at it, nor a scan whose snapshot is not below the LSN that the leaf names.
///
/// Invariants:
/// - Keys of the n ascend; every key of the leaf is at or above its page's low key and below the
///   high key.
/// - A word of the n always has a record. An append word goes from empty to a record, or to empty
///   and frozen; records in a word are replaced by records of the same key.
/// - Append words fill in order: one is taken only by a thread that has seen those before it taken.
///   So freezing the first empty one freezes all that follow.
/// - The number of append words known to ascend grows by one only, and only by the thread that took the
///   word that comes next and compared its key with the one before.
/// - No key is in two words: whoever adds one has seen all words before the one it takes.
/// - A frozen word never changes again. A leaf whose words are all frozen, or whose first empty
///   append word is, is replaced by whoever meets it.
/// - A leaf is partial or not from its making on.
/// - The dirty flag is set after a record is installed and before it is committed, or the leaf is
///   born dirty.
///
/// Safe because a reference is only used during a pin that began while the leaf was reachable, or
/// by the thread that built it; and every index is below n + a.
@safe struct Leaf: Equatable {
  let base: UnsafeMutableRawPointer

  static let dirty: UInt64 = 1
  static let baseOnly: UInt64 = 2
  /// The page was visited since the cache asked last; both: more than once.
  static let visited: UInt64 = 4
  static let visits: UInt64 = 12
  /// Read from disk, and not used since: it stays until whoever read it has used it. Only while the
  /// page was not visited, so that uses need not look for it.
  static let unused: UInt64 = 16
  /// It has only what was written since the page was evicted, tombstones apart, and what it lacks is on
  /// disk. See BLinkTree+Partial.
  static let partial: UInt64 = 32
  /// A scan has sorted what was appended. See BLinkTree+ScanOrder.
  static let scanned: UInt64 = 64
  static let headsOffset = 64

  static let frozen: UInt64 = 1
  /// The same bit as `Reader.unlooked`, which says the contrary.
  static let settled: UInt64 = 2
  static let addressMask: UInt64 = 0x0000_FFFF_FFFF_FFF0

  @unsafe @inline(__always)
  init(_ base: UnsafeMutableRawPointer) { unsafe self.base = base }

  @inline(__always)
  init(address: UInt64) {
    unsafe base = UnsafeMutableRawPointer(bitPattern: UInt(address)).unsafelyUnwrapped
  }

  @inline(__always) var address: UInt64 { unsafe UInt64(UInt(bitPattern: base)) }

  @inline(__always)
  static func == (left: Leaf, right: Leaf) -> Bool { unsafe left.base == right.base }

  /// Tells a simulation, which knows what is free, that the leaf is looked at.
  @inline(__always)
  private func touch() { noteTouch(unsafe UInt(bitPattern: base)) }

  @inline(__always)
  private func field(_ offset: Int) -> Int {
    touch()
    return unsafe Int(base.load(fromByteOffset: offset, as: UInt32.self))
  }

  @inline(__always) var isPartial: Bool { flags.loadRelaxed() & Leaf.partial != 0 }
  @inline(__always) var flags: WordRef { unsafe WordRef(base, 0) }
  @inline(__always) var weight: WordRef { unsafe WordRef(base, 8) }
  /// A number of bytes, whatever came together in the word: writers change it side by side.
  var knownWeight: Int { max(0, Int(truncatingIfNeeded: weight.loadRelaxed())) }
  @inline(__always)
  var right: UInt64 { unsafe base.load(fromByteOffset: 16, as: UInt64.self) }
  @inline(__always) var sortedCount: Int { field(24) }
  @inline(__always) var appendCount: Int { field(28) }
  static let hasHighBit = 1
  static let ascendsBit = 2
  @inline(__always) var hasHigh: Bool { field(40) & Leaf.hasHighBit != 0 }
  /// New keys are expected above all others, as the last ones were.
  @inline(__always) var isAscending: Bool { field(40) & Leaf.ascendsBit != 0 }
  @inline(__always) var size: Int { field(44) }
  /// All words, those in key order first.
  @inline(__always) var wordCount: Int { sortedCount &+ appendCount }

  @inline(__always)
  private var keysOffset: Int {
    Leaf.keysOffset(sorted: sortedCount, appended: appendCount)
  }

  @inline(__always)
  static func keysOffset(sorted: Int, appended: Int) -> Int {
    headsOffset &+ 16 &* sorted &+ 8 &* appended &+ 16
  }

  @inline(__always)
  var prefix: ByteView { unsafe ByteView(base + keysOffset, count: field(32)) }

  @inline(__always)
  var high: ByteView { unsafe ByteView(base + keysOffset + field(32), count: field(36)) }

  /// The word with index below `wordCount`.
  @inline(__always)
  func word(_ index: Int) -> WordRef {
    unsafe WordRef(base, Leaf.headsOffset &+ 8 &* (sortedCount &+ index))
  }

  /// How many append words are known to ascend.
  @inline(__always)
  var ascendingCount: WordRef { word(wordCount) }

  /// The records of settled words were committed below this.
  var settledBelow: UInt64 { word(wordCount &+ 1).loadRelaxed() }

  /// Where the words begin, for loops over many.
  @inline(__always)
  var words: UnsafeMutableRawPointer { unsafe base + (Leaf.headsOffset &+ 8 &* sortedCount) }

  @inline(__always)
  var heads: UnsafePointer<UInt64> {
    unsafe UnsafePointer((base + Leaf.headsOffset).assumingMemoryBound(to: UInt64.self))
  }

  /// True when `key` belongs to a leaf further right.
  @inline(__always)
  func isBelow(_ key: ByteView) -> Bool {
    touch()
    // The header tells for most keys: the high key lies behind the words, in a line of its own.
    if unsafe key.head(at: 0) < base.load(fromByteOffset: 56, as: UInt64.self) { return false }
    return isFarBelow(key)
  }

  @inline(never)
  private func isFarBelow(_ key: ByteView) -> Bool {
    hasHigh && ByteView.compare(key, high) >= 0
  }

  /// Negative when `key` is below all keys that share the leaf's prefix, positive when above; else 0.
  @inline(__always)
  func orderAgainstPrefix(_ key: ByteView) -> Int {
    let length = field(32)
    if length == 0 { return 0 }
    let head = unsafe base.load(fromByteOffset: 48, as: UInt64.self)
    return key.hasPrefix(head, length) ? 0 : comparePrefix(key, prefix)
  }

  @inline(__always) var prefixCount: Int { field(32) }

  @inline(__always)
  static func record(_ word: UInt64) -> UInt64 { word & addressMask }

  @inline(__always)
  static func word(_ record: Record, _ key: ByteView) -> UInt64 {
    record.address | key.hash16 << 48
  }

  @inline(__always)
  func markDirty() {
    // Sequential, so that a write-out that clears the flag after this load sees what was installed
    // before it.
    if flags.loadSequential() & Leaf.dirty == 0 { _ = flags.fetchOr(Leaf.dirty) }
  }

  @inline(__always)
  func addWeight(_ change: Int) {
    if change != 0 { _ = weight.fetchAdd(UInt64(bitPattern: Int64(change))) }
  }

  /// Asks for the heads, before the length of the leaf is known: a search that halves would wait for
  /// one line after another.
  @inline(__always)
  func prefetchHeads() { unsafe Leaf.prefetchHeads(UnsafeRawPointer(base)) }

  /// The same for what may be a leaf no more.
  @unsafe @inline(__always)
  static func prefetchHeads(_ base: UnsafeRawPointer) {
    var line = 0
    while line < Leaf.prefetched {
      unsafe Platform.prefetch(base + 64 &* line)
      line &+= 1
    }
  }

  /// Lines from the start of a leaf: its header and 88 heads.
  private static let prefetched = 12

  /// True when it is to be split, if it can be.
  @inline(__always)
  func isHeavy(_ settings: TreeSettings) -> Bool {
    Int(truncatingIfNeeded: weight.loadRelaxed()) > settings.leafBytes
  }

  /// Asks for the first few records in key order from `index` on.
  func askForRecords(_ index: Int, _ span: Int) {
    let end = min(sortedCount, index &+ 8)
    var index = index
    while index < end {
      Record(address: Leaf.record(word(index).load())).askFar(span)
      index &+= 1
    }
  }

  /// From the lengths in a record of mean size to its last word, at most 192.
  var recordSpan: Int {
    // A weight counts 8 bytes an entry beside key and value, a record as many for the lengths.
    let mean = knownWeight / max(1, sortedCount)
    return min(192, max(0, mean &- 8))
  }

  @inline(__always)
  func retire(_ pin: Pin) { unsafe pin.retire(base, size) }

  /// Frees a leaf that was never published. Its records stay.
  @inline(__always)
  func free(_ pin: Pin) { unsafe pin.free(base, size) }
}
