import Platform

/// The operations of one tree, in the order in which they came, and from `sort` on in that of (key, LSN).
///
/// Safe: the owner frees `entries`, and lends records no longer than they live.
@safe
struct PendingOperations {
  let tree: UInt64
  private(set) var entries: UnsafeMutablePointer<PendingEntry>
  private(set) var count = 0
  private var capacity = 256
  /// Bytes that all keys begin with: heads are taken behind them.
  private var prefix = 0
  /// Bytes of the longest operation.
  private(set) var longest = 0

  init(tree: UInt64) {
    self.tree = tree
    unsafe entries = .allocate(capacity: 256)
  }

  subscript(_ index: Int) -> PendingEntry {
    // Within what is initialised: recovery is the wrong time to believe an index.
    precondition(index >= 0 && index < count, "an operation that is none")
    return unsafe entries[index]
  }

  mutating func append(_ record: PendingRecord, count bytes: Int) {
    if count == capacity { grow() }
    unsafe (entries + count).initialize(
      to: PendingEntry(head: record.key.head(at: 0), record: record))
    count += 1
    if bytes > longest { longest = bytes }
  }

  private mutating func grow() {
    let larger = UnsafeMutablePointer<PendingEntry>.allocate(capacity: 2 * capacity)
    unsafe larger.moveInitialize(from: entries, count: count)
    unsafe entries.deallocate()
    unsafe entries = larger
    capacity *= 2
  }

  mutating func sort() {
    prefix = unsafe PendingSort.sort(&entries, count, capacity)
  }

  /// The first one on a key that is not below `key`, from `start` on.
  func first(from key: ByteView, start: Int) -> Int {
    if start >= count { return count }
    let known = unsafe entries[0].record.key
    let shared = min(prefix, key.count)
    let order = unsafe compareBytes(key.base, shared, known.base, shared)
    if order < 0 || (order == 0 && key.count < prefix) { return start }
    if order > 0 { return count }
    let head = key.head(at: prefix)
    var low = start
    var high = count
    while low < high {
      let middle = (low + high) / 2
      let entry = unsafe entries[middle]
      // Heads are in memory side by side; a record is a miss.
      let isBelow =
        entry.head != head ? entry.head < head : ByteView.compare(entry.record.key, key) < 0
      if isBelow { low = middle + 1 } else { high = middle }
    }
    return low
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
  private let base: UnsafeMutableRawPointer
  private static let headerBytes = 24
  private static let aside: UInt32 = 1 << 31

  /// Over memory of its size.
  @unsafe init(_ base: UnsafeMutableRawPointer) { unsafe self.base = base }

  static func size(key: Int) -> Int { (headerBytes + key + 7) & ~7 }

  var size: Int { Self.size(key: key.count) }
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

  func setAside() {
    unsafe base.storeBytes(of: keyField | Self.aside, toByteOffset: 20, as: UInt32.self)
  }

  func fill(
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
