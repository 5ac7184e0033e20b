internal import Platform

/// The writes of a batch, encoded as they come: what will be the payload of its redo record, and
/// where in it each key and value lies. Written once, and from there copied into the log and into
/// records.
///
/// Invariants: places lie inside the bytes; a buffer that several values share is not changed any
/// more (`WriteBatch` copies it first).
///
/// Safe because all memory belongs to this object, every write is within what `reserve` made room
/// for, and the counts say what is initialised.
@safe final class BatchBuffer: @unchecked Sendable {
  /// Where one write lies.
  struct Place {
    var keyOffset: Int
    var keyCount: Int
    /// -1 for a removal, -2 for a value that lies apart.
    var valueCount: Int
    /// Which tree, by the caller's numbering.
    var tree: Int
  }

  private struct Header {
    var bytes = 0
    var byteCapacity = 0
    var count = 0
    var placeCapacity = 0
    var longestKey = 0
    var longestValue = 0
  }

  // In raw memory, because fields of a class are checked for exclusive access at each use.
  private let header: UnsafeMutablePointer<Header>
  private let base: UnsafeMutablePointer<UnsafeMutableRawPointer>
  private let places: UnsafeMutablePointer<UnsafeMutablePointer<Place>>

  init() {
    unsafe header = .allocate(capacity: 1)
    unsafe base = .allocate(capacity: 1)
    unsafe places = .allocate(capacity: 1)
    unsafe header.initialize(to: Header())
    // Not looked at before the first reservation replaces them.
    unsafe base.initialize(to: .allocate(byteCount: 0, alignment: 16))
    unsafe places.initialize(to: .allocate(capacity: 0))
  }

  deinit {
    unsafe base.pointee.deallocate()
    unsafe places.pointee.deallocate()
    unsafe header.deallocate()
    unsafe base.deallocate()
    unsafe places.deallocate()
  }

  /// Number of writes.
  var count: Int { unsafe header.pointee.count }
  /// Bytes of the payload.
  var byteCount: Int { unsafe header.pointee.bytes }
  var longestKey: Int { unsafe header.pointee.longestKey }
  var longestValue: Int { unsafe header.pointee.longestValue }

  /// The payload of the redo record; good as long as the buffer and until it changes.
  @unsafe
  var payload: UnsafeRawBufferPointer {
    unsafe UnsafeRawBufferPointer(start: base.pointee, count: byteCount)
  }

  @inline(__always)
  func place(_ index: Int) -> Place { unsafe places.pointee[index] }

  @inline(__always)
  func key(_ place: Place) -> ByteView {
    unsafe ByteView(base.pointee + place.keyOffset, count: place.keyCount)
  }

  /// Where the value lies apart; nil where it does not.
  @inline(__always)
  func reference(_ place: Place) -> ValueReference? {
    place.valueCount == BatchBuffer.apart ? referenceBehind(place) : nil
  }

  private static let apart = -2

  @inline(never)
  private func referenceBehind(_ place: Place) -> ValueReference? {
    // Behind the key and a byte that says how long it is; `append` wrote it there.
    unsafe ValueReference(
      UnsafeRawBufferPointer(
        start: base.pointee + place.keyOffset + place.keyCount + 1, count: ValueReference.bytes))
  }

  /// Nil for a removal, and where the value lies apart.
  @inline(__always)
  func value(_ place: Place) -> ByteView? {
    if place.valueCount < 0 { return nil }
    let offset = place.keyOffset &+ place.keyCount &+ varintSize(UInt64(place.valueCount))
    return unsafe ByteView(base.pointee + offset, count: place.valueCount)
  }

  /// Adds a write to the tree with number `tree` and id `id`; a nil value removes.
  /// `isApart`: the value is a reference.
  func append(tree: Int, id: UInt64, key: ByteView, value: ByteView?, isApart: Bool = false) {
    let size = RedoPayload.operationBytes(tree: id, key: key.count, value: value?.count)
    reserve(size)
    let start = byteCount
    var writer = unsafe RawWriter(base.pointee + start, limit: size)
    unsafe RedoPayload.encodePrefix(
      tree: id, key: key.count, isDelete: value == nil, isApart: isApart, into: &writer)
    let place = unsafe Place(
      keyOffset: start &+ writer.count, keyCount: key.count, valueCount: value?.count ?? -1,
      tree: tree)
    unsafe writer.write(key.buffer)
    if let value {
      unsafe writer.writeVarint(UInt64(value.count))
      unsafe writer.write(value.buffer)
    }
    unsafe (places.pointee + count).initialize(to: place)
    unsafe header.pointee.count &+= 1
    unsafe header.pointee.bytes &+= size
    unsafe header.pointee.longestKey = max(header.pointee.longestKey, key.count)
    unsafe header.pointee.longestValue = max(header.pointee.longestValue, value?.count ?? 0)
  }

  /// Adds a write of a value that lies apart.
  func append(tree: Int, id: UInt64, key: ByteView, reference: ValueReference) {
    unsafe reference.withBytes { bytes in
      // Good within the closure; copied.
      append(tree: tree, id: id, key: key, value: unsafe ByteView(bytes), isApart: true)
      unsafe places.pointee[count - 1].valueCount = BatchBuffer.apart
    }
  }

  /// Makes room for one more write of `size` bytes.
  @inline(__always)
  private func reserve(_ size: Int) {
    if unsafe byteCount &+ size > header.pointee.byteCapacity {
      growBytes(max(1024, max(2 * byteCount, byteCount + size)))
    }
    if unsafe count == header.pointee.placeCapacity { growPlaces(max(16, 2 * count)) }
  }

  @inline(never)
  private func growBytes(_ capacity: Int) {
    let new = UnsafeMutableRawPointer.allocate(byteCount: capacity, alignment: 16)
    unsafe new.copyMemory(from: base.pointee, byteCount: byteCount)
    unsafe base.pointee.deallocate()
    unsafe base.pointee = new
    unsafe header.pointee.byteCapacity = capacity
  }

  @inline(never)
  private func growPlaces(_ capacity: Int) {
    let new = UnsafeMutablePointer<Place>.allocate(capacity: capacity)
    unsafe new.initialize(from: places.pointee, count: count)
    unsafe places.pointee.deallocate()
    unsafe places.pointee = new
    unsafe header.pointee.placeCapacity = capacity
  }

  /// A buffer of its own with the same writes.
  func copy() -> BatchBuffer {
    let copy = BatchBuffer()
    copy.growBytes(max(1024, byteCount))
    copy.growPlaces(max(16, count))
    unsafe copy.base.pointee.copyMemory(from: base.pointee, byteCount: byteCount)
    unsafe copy.places.pointee.initialize(from: places.pointee, count: count)
    unsafe copy.header.pointee.bytes = byteCount
    unsafe copy.header.pointee.count = count
    unsafe copy.header.pointee.longestKey = longestKey
    unsafe copy.header.pointee.longestValue = longestValue
    return copy
  }
}
