import Platform

/// What of the redo the pages on disk may lack, in order of (tree, key, LSN): after a crash whoever
/// brings a page into memory takes from here what its image lacks. So opening reads the redo once,
/// and no page.
///
/// Of each operation its key, LSN, place and checksum are in memory; values are read when they are asked for.
///
/// Invariants:
/// - Filled by one thread (`add`, then `sort`); from then on only `setAside` changes it, until it is shared.
/// - Operations of one key are in the order of their LSNs, so that the last one counts.
/// - The segments that hold them stay until a superblock is durable whose R is behind all of them.
///
/// Safe: records lie in blocks that live as long as this object, and never change once it is shared.
@safe
final class PendingRedo: @unchecked Sendable {
  /// Of one tree.
  struct Operations {
    let tree: UInt64
    fileprivate(set) var entries: [PendingEntry] = []
    /// Bytes that all keys begin with: heads are taken behind them.
    fileprivate(set) var prefix = 0
  }

  /// In order of ids, once sorted.
  private(set) var trees: [Operations] = []
  /// Commits whose payload lies apart, in the order of their LSNs.
  private var apart: [(lsn: UInt64, payload: ValueReference)] = []
  private var blocks = PendingBlocks()
  private var recent = 0

  /// Bytes of memory in use, sorting included.
  private(set) var bytes = 0

  /// What one operation takes beside its key: its record, its entry, and another one while sorting.
  private static let bytesAnOperation = PendingRecord.headerBytes + 8 + 32

  /// Notes an operation. `offset`: of its first byte, from the beginning of its piece.
  func add(
    tree: UInt64, key: UnsafeRawBufferPointer, lsn: UInt64, offset: Int,
    operation: UnsafeRawBufferPointer
  ) {
    if recent >= trees.count || trees[recent].tree != tree {
      recent = trees.firstIndex { found in found.tree == tree } ?? trees.count
      if recent == trees.count { trees.append(Operations(tree: tree)) }
    }
    // The record is copied into memory of this object.
    let record = unsafe blocks.append(
      lsn: lsn, offset: offset, key: key, count: operation.count, checksum: crc32c(operation))
    let head = unsafe ByteView(key).head(at: 0)
    trees[recent].entries.append(PendingEntry(head: head, record: record))
    bytes += Self.bytesAnOperation + key.count
  }

  /// Notes that the payload of a commit lies apart. Commits come in the order of their LSNs.
  func note(apart payload: ValueReference, lsn: UInt64) {
    apart.append((lsn, payload))
    bytes += 24
  }

  /// Where the payload of a commit lies that is not in its piece; nil for others.
  func payload(of lsn: UInt64) -> ValueReference? {
    var low = 0
    var high = apart.count
    while low < high {
      let middle = (low + high) / 2
      if apart[middle].lsn < lsn { low = middle + 1 } else { high = middle }
    }
    return low < apart.count && apart[low].lsn == lsn ? apart[low].payload : nil
  }

  /// Brings all into order.
  func sort() {
    trees.sort { left, right in left.tree < right.tree }
    var index = 0
    while index < trees.count {
      trees[index].prefix = PendingSort.sort(&trees[index].entries)
      index += 1
    }
  }

  /// The place of a tree among `trees`, or nil.
  func place(of tree: UInt64) -> Int? {
    var low = 0
    var high = trees.count
    while low < high {
      let middle = (low + high) / 2
      if trees[middle].tree < tree { low = middle + 1 } else { high = middle }
    }
    return low < trees.count && trees[low].tree == tree ? low : nil
  }

  /// The first operation of a tree on a key that is not below `key`.
  func first(_ place: Int, from key: ByteView) -> Int {
    var low = 0
    var high = trees[place].entries.count
    while low < high {
      let middle = (low + high) / 2
      if ByteView.compare(record(place, middle).key, key) < 0 {
        low = middle + 1
      } else {
        high = middle
      }
    }
    return low
  }

  /// The operations on keys from `low` on, below `high` unless that is nil.
  func range(_ place: Int, _ low: ByteView, _ high: [UInt8]?) -> Range<Int> {
    let start = first(place, from: low)
    guard let high else { return start..<max(start, trees[place].entries.count) }
    // The array outlives the closure; nothing in it is kept.
    let end = unsafe high.withUnsafeBytes { unsafe first(place, from: ByteView($0)) }
    return start..<max(start, end)
  }

  /// The same for keys in arrays.
  func range(_ place: Int, _ low: [UInt8], _ high: [UInt8]?) -> Range<Int> {
    // The array outlives the closure; nothing in it is kept.
    unsafe low.withUnsafeBytes { unsafe range(place, ByteView($0), high) }
  }

  func record(_ place: Int, _ index: Int) -> PendingRecord { trees[place].entries[index].record }

  /// Takes operations out of what pages lack: somebody applies them now.
  func setAside(_ place: Int, _ range: Range<Int>) {
    for index in range { record(place, index).setAside() }
  }

  /// The last operation of each key in a range that has an LSN of `since` or above, as indexes in key
  /// order: of those that are set aside, or of the others.
  func newest(
    _ place: Int, _ range: Range<Int>, since: UInt64, aside: Bool = false
  ) -> [Int] {
    var found: [Int] = []
    var index = range.lowerBound
    while index < range.upperBound {
      let record = record(place, index)
      let isLast =
        index + 1 == range.upperBound || !(self.record(place, index + 1).key == record.key)
      if isLast {
        if record.isSetAside != aside {
          // Of one page either all are or none is.
        } else if record.lsn >= since {
          found.append(index)
        } else {
          probe("recovery.skippedByImage")
        }
      }
      index += 1
    }
    return found
  }
}

/// One operation among those of its tree.
struct PendingEntry {
  /// Eight bytes of its key, as a number.
  var head: UInt64
  var record: PendingRecord
}

/// One operation in memory.
///
/// ```
/// OFFSET SIZE DESCRIPTION
///      0    8 LSN of its commit
///      8    4 offset of its first byte, from there
///     12    4 its bytes
///     16    4 CRC-32C of these
///     20    4 bytes of its key; bit 31: set aside
///     24    k key
/// ```
/// Safe: it lies in a block of the object that lent it, and is not kept longer.
@safe struct PendingRecord {
  fileprivate let base: UnsafeMutableRawPointer
  static let headerBytes = 24
  private static let aside: UInt32 = 1 << 31

  @unsafe fileprivate init(_ base: UnsafeMutableRawPointer) { unsafe self.base = base }

  var lsn: UInt64 { unsafe base.load(as: UInt64.self) }
  /// Where it lies in the redo stream.
  var position: UInt64 { unsafe lsn + UInt64(base.load(fromByteOffset: 8, as: UInt32.self)) }
  /// Bytes of the whole operation.
  var count: Int { unsafe Int(base.load(fromByteOffset: 12, as: UInt32.self)) }
  var checksum: UInt32 { unsafe base.load(fromByteOffset: 16, as: UInt32.self) }
  private var keyField: UInt32 { unsafe base.load(fromByteOffset: 20, as: UInt32.self) }
  var isSetAside: Bool { keyField & Self.aside != 0 }

  var key: ByteView {
    unsafe ByteView(base + Self.headerBytes, count: Int(keyField & ~Self.aside))
  }

  fileprivate func setAside() {
    unsafe base.storeBytes(of: keyField | Self.aside, toByteOffset: 20, as: UInt32.self)
  }

  fileprivate func fill(
    lsn: UInt64, offset: Int, key: UnsafeRawBufferPointer, count: Int, checksum: UInt32
  ) {
    unsafe base.storeBytes(of: lsn, as: UInt64.self)
    unsafe base.storeBytes(of: UInt32(offset), toByteOffset: 8, as: UInt32.self)
    unsafe base.storeBytes(of: UInt32(count), toByteOffset: 12, as: UInt32.self)
    unsafe base.storeBytes(of: checksum, toByteOffset: 16, as: UInt32.self)
    unsafe base.storeBytes(of: UInt32(key.count), toByteOffset: 20, as: UInt32.self)
    guard let source = key.baseAddress else { return }
    unsafe (base + Self.headerBytes).copyMemory(from: source, byteCount: key.count)
  }
}

/// Memory for records that are freed together.
///
/// Safe: whoever owns this lends no record beyond its own life.
@safe
private struct PendingBlocks: ~Copyable {
  private static let blockBytes = 1 << 18
  private var blocks: [UnsafeMutableRawPointer]
  private var used = 0
  private var size = 0

  init() { unsafe blocks = [] }

  mutating func append(
    lsn: UInt64, offset: Int, key: UnsafeRawBufferPointer, count: Int, checksum: UInt32
  ) -> PendingRecord {
    let bytes = (PendingRecord.headerBytes + key.count + 7) & ~7
    if used + bytes > size {
      size = max(Self.blockBytes, bytes)
      unsafe blocks.append(.allocate(byteCount: size, alignment: 8))
      used = 0
    }
    // Within the block, by the check above.
    let record = unsafe PendingRecord(blocks[blocks.count - 1] + used)
    used += bytes
    unsafe record.fill(lsn: lsn, offset: offset, key: key, count: count, checksum: checksum)
    return record
  }

  deinit {
    for unsafe block in unsafe blocks { unsafe block.deallocate() }
  }
}
