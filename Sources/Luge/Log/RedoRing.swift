import Platform

/// The memory of the redo stream's newest part: a ring of blocks that many threads fill at once
/// and one flush at a time reads.
///
/// Invariants:
/// - Byte x of the stream lies at `x % bytes`. Only bytes in `durable ..< durable + bytes` are in
///   the ring; admission sees to that before anything is reserved.
/// - Each byte of the stream is filled exactly once, by the thread that reserved it.
/// - `filled[s]` counts the bytes ever filled in slot s, as if the stream had begun at 0. So block b
///   is whole when the count of its slot is `(b / blocks + 1) * 4096`, and no reset is needed.
/// - A count is raised after the bytes are stored (release); a flush loads it (acquire) before it
///   reads them.
///
/// Safe to use from several threads: the memory belongs to this object, every access is within it
/// by the mask, and two threads never touch the same bytes by the first three invariants.
@safe
final class RedoRing: @unchecked Sendable {
  let bytes: Int
  private let mask: UInt64
  private let blockMask: UInt64
  private let blockShift: UInt64
  private let memory: UnsafeMutableRawPointer
  private let filled: UnsafeMutablePointer<AtomicWord>
  private let seed: UInt32

  private static let block = UInt64(RedoFormat.blockBytes)

  /// - Precondition: `bytes` is a power of two of at least a block, `start` a multiple of a block.
  init(bytes: Int, start: UInt64, incarnation: UInt64) {
    let block = Self.block
    precondition(bytes >= Int(block) && bytes & (bytes - 1) == 0, "ring size")
    precondition(start % block == 0, "a log begins at a block")
    let blocks = UInt64(bytes) / block
    self.bytes = bytes
    mask = UInt64(bytes) - 1
    blockMask = blocks - 1
    blockShift = UInt64(blocks.trailingZeroBitCount)
    seed = RedoFormat.checksumSeed(incarnation: incarnation)
    unsafe memory = .allocate(byteCount: bytes, alignment: Int(block))
    // Every byte is stored before it is read: to touch them here would only make opening longer.
    unsafe PageMemory.preferLarge(memory, bytes)
    unsafe filled = .allocate(capacity: Int(blocks))
    let first = start / block
    var slot: UInt64 = 0
    while slot < blocks {
      // The first block at or above `first` that uses this slot.
      let block = first + ((slot &- first) & (blocks - 1))
      let count = (block >> blockShift) * Self.block
      unsafe (filled + Int(slot)).initialize(to: AtomicWord(count))
      slot += 1
    }
  }

  deinit {
    unsafe filled.deinitialize(count: bytes / RedoFormat.blockBytes)
    unsafe filled.deallocate()
    unsafe memory.deallocate()
  }

  // MARK: Filling

  /// Stores a piece of `length` bytes whose payload is given. Never waits.
  func fill(_ lsn: UInt64, length: Int, kind: RedoKind, payload: UnsafeRawBufferPointer) {
    precondition(
      length == RedoFormat.pieceBytes(payload: payload.count), "the piece has another size")
    storeHeader(lsn, length: length, kind: kind, payloadLength: payload.count)
    unsafe copyIn(lsn + UInt64(RedoFormat.headerBytes), payload)
    finish(lsn, length: length)
  }

  /// Stores a commit of one operation. Never waits. `value` nil: a delete.
  @inline(__always)
  func fillOperation(
    _ lsn: UInt64, length: Int, tree: UInt64, key: ByteView, value: ByteView?
  ) {
    let offset = Int(truncatingIfNeeded: lsn & mask)
    if offset &+ length <= bytes {
      unsafe fillAt(memory + offset, lsn, length: length, tree: tree, key: key, value: value)
    } else {
      wrapOperation(lsn, length: length, tree: tree, key: key, value: value)
    }
    countFilled(lsn, length: length)
  }

  /// Stores a commit of one operation where it does not wrap.
  @inline(__always)
  private func fillAt(
    _ start: UnsafeMutableRawPointer, _ lsn: UInt64, length: Int, tree: UInt64,
    key: ByteView, value: ByteView?
  ) {
    let payload = RedoPayload.operationBytes(tree: tree, key: key.count, value: value?.count)
    // So all that is stored here lies within the piece.
    precondition(length == RedoFormat.pieceBytes(payload: payload), "the piece has another size")
    // The last word first: it holds the padding.
    unsafe start.storeBytes(of: 0, toByteOffset: length &- 8, as: UInt64.self)
    let words = RedoRing.headerWords(lsn, length, .commit, payload)
    unsafe start.storeBytes(of: words.0, as: UInt64.self)
    unsafe start.storeBytes(of: words.1, toByteOffset: 8, as: UInt64.self)
    unsafe start.storeBytes(of: words.2, toByteOffset: 16, as: UInt64.self)
    unsafe RedoPayload.store(
      tree: tree, key: key, value: value, at: start + RedoFormat.headerBytes)
    let sum = unsafe crc32cAroundItself(start, count: length, seed: seed)
    unsafe start.storeBytes(of: sum.littleEndian, toByteOffset: 4, as: UInt32.self)
  }

  /// The three words that a piece begins with, its checksum zero.
  @inline(__always)
  private static func headerWords(
    _ lsn: UInt64, _ length: Int, _ kind: RedoKind, _ payloadLength: Int
  ) -> (UInt64, UInt64, UInt64) {
    let kindAndLength =
      UInt64(kind.rawValue) | UInt64(RedoFormat.version) << 8
      | UInt64(UInt32(truncatingIfNeeded: payloadLength)) << 32
    return (
      UInt64(UInt32(truncatingIfNeeded: length)).littleEndian, lsn.littleEndian,
      kindAndLength.littleEndian
    )
  }

  /// Makes a reserved piece a pad: its reader skips it. Never waits.
  func fillPad(_ lsn: UInt64, length: Int) {
    precondition(length >= RedoFormat.headerBytes && length % 8 == 0, "pad size")
    var position = lsn
    let end = lsn + UInt64(length)
    while position < end {
      let offset = Int(position & mask)
      let run = min(Int(end - position), bytes - offset)
      unsafe (memory + offset).initializeMemory(as: UInt8.self, repeating: 0, count: run)
      position += UInt64(run)
    }
    storeHeader(lsn, length: length, kind: .pad, payloadLength: 0)
    storeChecksum(lsn, covered: RedoFormat.headerBytes)
    countFilled(lsn, length: length)
  }

  private func storeHeader(_ lsn: UInt64, length: Int, kind: RedoKind, payloadLength: Int) {
    // Pieces begin and end at multiples of 8, so no aligned word of one wraps. The last word
    // first: it holds the padding, and may be a word of the header.
    storeWord(lsn + UInt64(length) - 8, 0)
    let words = RedoRing.headerWords(lsn, length, kind, payloadLength)
    storeWord(lsn, words.0)
    storeWord(lsn + 8, words.1)
    storeWord(lsn + 16, words.2)
  }

  /// Stores a word that is little-endian already.
  @inline(__always)
  private func storeWord(_ position: UInt64, _ word: UInt64) {
    // An aligned word inside the ring, by the mask.
    unsafe memory.storeBytes(of: word, toByteOffset: Int(position & mask), as: UInt64.self)
  }

  private func finish(_ lsn: UInt64, length: Int) {
    storeChecksum(lsn, covered: length)
    countFilled(lsn, length: length)
  }

  private func storeChecksum(_ lsn: UInt64, covered: Int) {
    let start = Int(lsn & mask)
    var sum = unsafe crc32c(UnsafeRawBufferPointer(start: memory + start, count: 4), seed: seed)
    var position = lsn + 8
    let end = lsn + UInt64(covered)
    while position < end {
      let offset = Int(position & mask)
      let run = min(Int(end - position), bytes - offset)
      sum = unsafe crc32c(UnsafeRawBufferPointer(start: memory + offset, count: run), seed: sum)
      position += UInt64(run)
    }
    unsafe memory.storeBytes(of: sum.littleEndian, toByteOffset: start + 4, as: UInt32.self)
  }

  private func copyIn(_ position: UInt64, _ source: UnsafeRawBufferPointer) {
    guard let base = source.baseAddress, source.count > 0 else { return }
    let offset = Int(position & mask)
    let first = min(source.count, bytes - offset)
    unsafe (memory + offset).copyMemory(from: base, byteCount: first)
    if first < source.count {
      unsafe memory.copyMemory(from: base + first, byteCount: source.count - first)
    }
  }

  /// A commit of one operation around the end of the ring: made elsewhere, then copied in.
  @inline(never)
  private func wrapOperation(
    _ lsn: UInt64, length: Int, tree: UInt64, key: ByteView, value: ByteView?
  ) {
    let payload = RedoPayload.operationBytes(tree: tree, key: key.count, value: value?.count)
    precondition(length == RedoFormat.pieceBytes(payload: payload), "the piece has another size")
    storeHeader(lsn, length: length, kind: .commit, payloadLength: payload)
    let scratch = UnsafeMutableRawPointer.allocate(byteCount: payload, alignment: 8)
    defer { unsafe scratch.deallocate() }
    unsafe RedoPayload.store(tree: tree, key: key, value: value, at: scratch)
    unsafe copyIn(
      lsn + UInt64(RedoFormat.headerBytes), UnsafeRawBufferPointer(start: scratch, count: payload))
    storeChecksum(lsn, covered: length)
  }

  /// Tells the flush which bytes are there.
  @inline(__always)
  private func countFilled(_ lsn: UInt64, length: Int) {
    let count = UInt64(truncatingIfNeeded: length)
    let block = lsn / Self.block
    if (lsn &+ count &- 1) / Self.block == block {
      // A slot of the array, by the mask.
      _ = unsafe filled[Int(truncatingIfNeeded: block & blockMask)].fetchAdd(count)
    } else {
      countFilledBlocks(lsn, length: length)
    }
  }

  /// The same for a piece that spans blocks.
  @inline(never)
  private func countFilledBlocks(_ lsn: UInt64, length: Int) {
    var position = lsn
    let end = lsn + UInt64(length)
    probe("log.pieceSpansBlocks")
    if lsn & mask > (end - 1) & mask { probe("log.ringWrapped") }
    while position < end {
      let block = position / Self.block
      let stop = min(end, (block + 1) * Self.block)
      // A slot of the array, by the mask.
      _ = unsafe filled[Int(block & blockMask)].fetchAdd(stop - position)
      position = stop
    }
  }

  // MARK: Reading, by the flush

  /// Whether every byte of a block of the stream is filled.
  func isWhole(block: UInt64) -> Bool {
    let wanted = ((block >> blockShift) + 1) * Self.block
    return unsafe filled[Int(block & blockMask)].load() >= wanted
  }

  /// The longest run from `position` towards `end` that does not wrap.
  ///
  /// The blocks must be whole and not yet durable; so nobody changes them while they are read.
  func run(from position: UInt64, to end: UInt64) -> UnsafeRawBufferPointer {
    let offset = Int(position & mask)
    let count = min(Int(end - position), bytes - offset)
    return unsafe UnsafeRawBufferPointer(start: memory + offset, count: count)
  }

  /// Length and kind of the piece at `position`, which must be filled.
  func piece(at position: UInt64) -> (length: UInt64, kind: UInt8) {
    let offset = Int(position & mask)
    let length = unsafe memory.load(fromByteOffset: offset, as: UInt32.self)
    let kind = unsafe memory.load(fromByteOffset: Int((position + 16) & mask), as: UInt8.self)
    return (UInt64(UInt32(littleEndian: length)), kind)
  }
}
