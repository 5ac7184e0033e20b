internal import Platform

/// What a chunk's word says, in its lowest bits: four where bit 2 is 0, else three.
///
/// ```
/// BITS  THE REST
///    0  resident: address of the branch over the chunk's pages
///    1  frozen: the same; two chunks take this one's place
///    2  held: the same; the thread that merges has it, and it is neither split nor evicted meanwhile
///    3  uniting: the same; one chunk takes the place of this one and the next
///   11  the same, of this one and the one before
///    4  evicted: PageAddress of the chunk's image
///    5  loading: the same; some thread reads the image
/// ```
/// Blocks of memory are aligned to 16 and records of page segments to 8, so the bits are free.
enum ChunkWord {
  static let diskMask: UInt64 = ~7
  static let resident: UInt64 = 0
  static let frozen: UInt64 = 1
  static let held: UInt64 = 2
  static let unitingLeft: UInt64 = 3
  static let unitingRight: UInt64 = 11
  static let evicted: UInt64 = 4
  static let loading: UInt64 = 5

  static func tag(_ word: UInt64) -> UInt64 { hasBranch(word) ? word & 15 : word & 7 }
  @inline(__always) static func hasBranch(_ word: UInt64) -> Bool { word & evicted == 0 }
  @inline(__always)
  static func branch(_ word: UInt64) -> Branch { Branch(address: word & ~15) }
}

/// A chunk: the pages of one range of keys, from its low key to the next chunk's. Chunks are the
/// level between root and pages; what a checkpoint writes above the leaves, and what is paged there.
///
/// ```
/// OFFSET SIZE DESCRIPTION
///      0    8 word: see `ChunkWord`
///      8    4 l, length of the low key
///     12    4 40
///     16    8 stamp: a number of its own for every state of the branch and of its pages' parts
///     24    8 image: address of a PartList with one part, whose W is the stamp of the state that the
///             image shows; 0: there is none; 1: none any more, other chunks are in this one's place
///     32    8 1: it was looked at for a page that is on disk since `ChunkClock` came by
///     40    l low key
/// ```
/// Invariants:
/// - The first page of the branch has the chunk's low key; all others' low keys are above it and
///   below the next chunk's.
/// - A frozen or uniting word never changes again. Whoever meets one while it wants to change the
///   branch puts two chunks in place of this one, or one in place of two; readers go on as if nothing
///   were the matter.
/// - Its first page is in it for ever.
/// - Whoever changes the branch, or a page's parts, gives the chunk a new stamp afterwards; in the
///   latter case before the page is evicted. Stamps are never used twice, and a new chunk has a new
///   one. So an image that shows the present stamp shows the chunk as it is, but for dirty leaves.
/// - An evicted chunk's image shows it as it is, and its pages were all evicted.
///
/// Safe for the same reason as a leaf: pinned use of what epochs reclaim; an evicted or loading one
/// stays.
@safe struct Chunk: Equatable {
  // The address never changes; what it points to is words and bytes that never change.
  nonisolated(unsafe) let base: UnsafeMutableRawPointer

  static let lowOffset = 40
  private static let gone: UInt64 = 1

  @inline(__always)
  init(address: UInt64) {
    unsafe base = UnsafeMutableRawPointer(bitPattern: UInt(address)).unsafelyUnwrapped
  }

  @inline(__always) var address: UInt64 { unsafe UInt64(UInt(bitPattern: base)) }

  @inline(__always)
  static func == (left: Chunk, right: Chunk) -> Bool { unsafe left.base == right.base }

  @inline(__always) var word: WordRef { unsafe WordRef(base, 0) }
  var stamp: WordRef { unsafe WordRef(base, 16) }
  private var imageWord: WordRef { unsafe WordRef(base, 24) }
  var visited: WordRef { unsafe WordRef(base, 32) }

  var low: ByteView { unsafe IndexNode.low(base) }

  private var size: Int { (Chunk.lowOffset + low.count + 7) & ~7 }

  /// The newest image, which may be out of date; nil when there is none.
  var image: PartList? {
    let address = imageWord.load()
    return address <= Chunk.gone ? nil : PartList(address: address)
  }

  /// Puts an image in the place of another. False when the chunk has another by now, or is gone; the
  /// new one is the caller's then, else the former one is the caller's to release, and retired.
  func replaceImage(_ former: PartList?, _ new: PartList, _ pin: Pin) -> Bool {
    guard imageWord.compareExchange(expected: former?.address ?? 0, desired: new.address) else {
      return false
    }
    former?.retire(pin)
    return true
  }

  /// Of a chunk that other chunks have taken the place of: its image, the caller's to release.
  func takeImage(_ pin: Pin) -> PagePart? {
    let address = imageWord.exchange(Chunk.gone)
    if address <= Chunk.gone { return nil }
    let image = PartList(address: address)
    let part = image.part(0)
    image.retire(pin)
    return part
  }

  /// A chunk that nobody else knows yet.
  static func build(
    _ pin: Pin, low: ByteView, word: UInt64, stamp: UInt64, image: PartList? = nil
  ) -> Chunk {
    let base = unsafe pin.allocate((lowOffset + low.count + 7) & ~7)
    unsafe WordRef.initialize(base, 0, word)
    unsafe WordRef.initialize(base, 16, stamp)
    unsafe WordRef.initialize(base, 24, image?.address ?? 0)
    unsafe WordRef.initialize(base, 32, 0)
    unsafe IndexNode.setLow(base, low, at: lowOffset)
    return Chunk(address: UInt64(UInt(bitPattern: base)))
  }

  func retire(_ pin: Pin) { unsafe pin.retire(base, size) }

  /// Frees a chunk that was never published, or whose tree is gone. Its branch stays.
  func free(_ pin: Pin) {
    image?.free(pin)
    unsafe pin.free(base, size)
  }
}
