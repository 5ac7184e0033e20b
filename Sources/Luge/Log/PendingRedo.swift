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
/// Safe: entries and records lie in memory that lives as long as this object or until `removeAll`, and
/// never changes once it is shared. Nobody keeps a record longer than the object.
@safe
final class PendingRedo: @unchecked Sendable {
  // Behind a pointer: who adds half a million operations should not pay for checks of exclusive access.
  private let state: UnsafeMutablePointer<State>

  @unsafe
  private struct State {
    /// In order of ids, once sorted.
    var trees: [UnsafeMutablePointer<PendingOperations>]
    /// The one that the last operation was of.
    var recent: UnsafeMutablePointer<PendingOperations>?
    var blocks: [UnsafeMutableRawPointer]
    /// What is free in the last block.
    var free: UnsafeMutableRawPointer?
    var freeBytes = 0
    var bytes = 0
    /// Of commits whose payload lies in a value segment: LSN and address of its record, in order of LSNs.
    var apart: [(lsn: UInt64, address: UInt64)] = []

    init() { unsafe (trees, blocks) = ([], []) }
  }

  /// Of the first block and, as they grow with what there is, of the later ones.
  private static let blockBytes = 1 << 12...1 << 18
  /// What one operation takes beside its record: its entry, and another one while sorting.
  private static let entryBytes = 2 * MemoryLayout<PendingEntry>.size

  init() {
    unsafe state = .allocate(capacity: 1)
    unsafe state.initialize(to: State())
  }

  deinit {
    removeAll()
    unsafe state.deinitialize(count: 1)
    unsafe state.deallocate()
  }

  func removeAll() {
    for unsafe tree in unsafe state.pointee.trees {
      unsafe tree.pointee.entries.deallocate()
      unsafe tree.deallocate()
    }
    for unsafe block in unsafe state.pointee.blocks { unsafe block.deallocate() }
    unsafe state.pointee = State()
  }

  /// Bytes of memory in use, sorting included.
  var bytes: Int { unsafe state.pointee.bytes }

  // MARK: Filling

  /// The payload of the commit at an LSN lies in a value segment. LSNs ascend.
  func noteApart(lsn: UInt64, _ address: UInt64) {
    unsafe state.pointee.apart.append((lsn, address))
    unsafe state.pointee.bytes += 16
  }

  /// Where the payload of an operation's commit lies; nil: in the redo stream.
  func address(of record: PendingRecord) -> UInt64? {
    if !record.isApart { return nil }
    var low = 0
    var high = unsafe state.pointee.apart.count
    while low < high {
      let middle = (low + high) / 2
      if unsafe state.pointee.apart[middle].lsn < record.lsn {
        low = middle + 1
      } else {
        high = middle
      }
    }
    return unsafe state.pointee.apart[low].address
  }

  /// Notes an operation. `offset`: of its first byte, from the beginning of its piece; `isApart`: of the
  /// payload, which `noteApart` has told of.
  func add(
    tree: UInt64, key: UnsafeRawBufferPointer, lsn: UInt64, offset: Int,
    operation: UnsafeRawBufferPointer, isApart: Bool = false
  ) {
    let operations: UnsafeMutablePointer<PendingOperations>
    if let recent = unsafe state.pointee.recent, unsafe recent.pointee.tree == tree {
      unsafe operations = recent
    } else {
      unsafe operations = select(tree)
    }
    let record = unsafe newRecord(key: key.count)
    // The record is copied into memory of this object.
    unsafe record.fill(
      lsn: lsn, offset: offset, key: key, count: operation.count, checksum: crc32c(operation),
      isApart: isApart)
    unsafe operations.pointee.append(record, count: operation.count)
    unsafe state.pointee.bytes += record.size + Self.entryBytes
  }

  @unsafe
  private func select(_ tree: UInt64) -> UnsafeMutablePointer<PendingOperations> {
    var found = unsafe state.pointee.trees.first { known in unsafe known.pointee.tree == tree }
    if unsafe found == nil {
      let new = UnsafeMutablePointer<PendingOperations>.allocate(capacity: 1)
      unsafe new.initialize(to: PendingOperations(tree: tree))
      unsafe state.pointee.trees.append(new)
      unsafe found = new
    }
    unsafe state.pointee.recent = found
    return unsafe found.unsafelyUnwrapped
  }

  @unsafe
  private func newRecord(key: Int) -> PendingRecord {
    let bytes = PendingRecord.size(key: key)
    if unsafe bytes > state.pointee.freeBytes {
      let grown = unsafe max(Self.blockBytes.lowerBound, state.pointee.bytes)
      let size = max(min(grown, Self.blockBytes.upperBound), bytes)
      let block = UnsafeMutableRawPointer.allocate(byteCount: size, alignment: 8)
      unsafe state.pointee.blocks.append(block)
      unsafe state.pointee.free = block
      unsafe state.pointee.freeBytes = size
    }
    // There is a block, and it has the bytes.
    let base = unsafe state.pointee.free.unsafelyUnwrapped
    unsafe state.pointee.free = base + bytes
    unsafe state.pointee.freeBytes -= bytes
    return unsafe PendingRecord(base)
  }

  /// Brings all into order.
  func sort() {
    unsafe state.pointee.trees.sort { left, right in
      unsafe left.pointee.tree < right.pointee.tree
    }
    for unsafe tree in unsafe state.pointee.trees { unsafe tree.pointee.sort() }
  }

  /// Takes operations out of what pages lack: somebody applies them now.
  func setAside(_ place: Int, _ range: Range<Int>) {
    for index in range { record(place, index).setAside() }
    unsafe state.pointee.trees[place].pointee.asideCount += range.count
  }

  /// Whether any of a tree's operations are set aside.
  func hasAside(_ place: Int) -> Bool {
    unsafe state.pointee.trees[place].pointee.asideCount > 0
  }

  // MARK: Reading

  /// How many trees it has operations of; `place` is one of them, in order of ids.
  var treeCount: Int { unsafe state.pointee.trees.count }

  func tree(_ place: Int) -> UInt64 { unsafe state.pointee.trees[place].pointee.tree }

  /// How many operations a tree has.
  func count(_ place: Int) -> Int { unsafe state.pointee.trees[place].pointee.count }

  /// Bytes of the longest operation of a tree.
  func longest(_ place: Int) -> Int { unsafe state.pointee.trees[place].pointee.longest }

  func record(_ place: Int, _ index: Int) -> PendingRecord {
    unsafe state.pointee.trees[place].pointee[index].record
  }

  /// The place of a tree, or nil.
  func place(of tree: UInt64) -> Int? {
    var low = 0
    var high = treeCount
    while low < high {
      let middle = (low + high) / 2
      if self.tree(middle) < tree { low = middle + 1 } else { high = middle }
    }
    return low < treeCount && self.tree(low) == tree ? low : nil
  }

  /// The first operation of a tree on a key that is not below `key`; it is looked for from `start` on.
  func first(_ place: Int, from key: ByteView, start: Int = 0) -> Int {
    unsafe state.pointee.trees[place].pointee.first(from: key, start: start)
  }

  /// The operations on keys from `low` on, below `high` unless that is nil.
  func range(_ place: Int, _ low: ByteView, _ high: [UInt8]?) -> Range<Int> {
    let start = first(place, from: low)
    guard let high else { return start..<max(start, count(place)) }
    // The array outlives the closure; nothing in it is kept.
    let end = unsafe high.withUnsafeBytes { bytes in
      unsafe first(place, from: ByteView(bytes), start: start)
    }
    return start..<end
  }

  /// The same for keys in arrays.
  func range(_ place: Int, _ low: [UInt8], _ high: [UInt8]?) -> Range<Int> {
    // The array outlives the closure; nothing in it is kept.
    unsafe low.withUnsafeBytes { unsafe range(place, ByteView($0), high) }
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
