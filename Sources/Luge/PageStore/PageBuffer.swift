import Platform

/// Records that lie one after the other in a segment and are not in its file yet.
///
/// Guarded by the store's lock while it is filled; when it is sealed its bytes never change again.
final class PageBuffer: @unchecked Sendable {
  // Unchecked: see above.
  let serial: UInt64
  /// Where the first byte goes in the file.
  let offset: Int
  private(set) var writer: ByteWriter

  /// A buffer that goes on in a segment, in memory that is empty.
  init(_ family: SegmentFamily, serial: UInt64, offset: Int, memory: consuming ByteWriter) {
    self.serial = serial
    self.offset = offset
    writer = memory
    if offset == 0 { writer.write(PageFormat.segmentHeader(family, serial: serial)) }
  }

  /// Takes the memory of a buffer that is written, emptied.
  func takeMemory() -> ByteWriter {
    var memory = ByteWriter()
    swap(&memory, &writer)
    memory.removeAll()
    return memory
  }

  /// Where the next record goes.
  var end: Int { offset + writer.count }

  /// Whether it holds a record, or a header that no record has followed.
  var isEmpty: Bool { writer.count == (offset == 0 ? PageFormat.blockBytes : 0) }

  /// Safe: the payload is lent for this call, which copies it.
  func append(
    _ kind: PageKind, _ head: [UInt8], _ body: UnsafeRawBufferPointer
  ) -> PageAddress {
    let address = PageAddress(serial: serial, offset: end)
    unsafe PageFormat.append(kind, head, body, at: address, to: &writer)
    return address
  }

  /// Whether the record at an address lies here.
  func holds(_ address: PageAddress) -> Bool {
    address.serial == serial && address.offset >= offset && address.offset < end
  }

  /// Copies `target.count` bytes from `start` bytes after an address that lies here. False when so
  /// many are not here.
  func copy(
    at address: PageAddress, from start: Int, into target: UnsafeMutableRawBufferPointer
  ) -> Bool {
    let first = address.offset - offset + start
    if first + target.count > writer.count { return false }
    // Both runs have this length by the line above.
    unsafe writer.bytes.withUnsafeBytes { bytes in
      unsafe target.copyMemory(
        from: UnsafeRawBufferPointer(rebasing: bytes[first..<first + target.count]))
    }
    return true
  }

  /// Up to `count` bytes from an address that lies here.
  func bytes(at address: PageAddress, count: Int) -> [UInt8] {
    let start = address.offset - offset
    return Array(writer.bytes[start..<min(start + count, writer.count)])
  }
}

/// One stream of appends: the buffer being filled, and the one before it, until that is written.
///
/// Guarded by the store's lock but for `unwritten`, which anyone may read.
final class PageAppender: @unchecked Sendable {
  // Unchecked: see above.
  /// Full, and to be written first.
  var sealed: PageBuffer?
  var filling: PageBuffer?
  /// Memory of a buffer that was written: threads take turns at making buffers, and what one frees of
  /// another's stays with the allocator.
  var spare: ByteWriter?
  /// The raw address from which on records of this stream may be in memory alone; all ones when
  /// none is. It only grows while it is not all ones, so whoever finds it above an address that it
  /// got from somewhere finds that record in the file.
  let unwritten = AtomicWord(.max)

  /// Memory for the next buffer.
  func takeMemory(_ bytes: Int) -> ByteWriter {
    var memory: ByteWriter?
    swap(&memory, &spare)
    return memory ?? ByteWriter(capacity: bytes + PageFormat.blockBytes)
  }

  /// Of a buffer of so many bytes that nobody reads from any more.
  func recycle(_ buffer: PageBuffer, _ bytes: Int) {
    // What one large record has made larger goes.
    if buffer.writer.count <= bytes + PageFormat.blockBytes { spare = buffer.takeMemory() }
  }

  func noteUnwritten() {
    let first = sealed ?? filling.flatMap { $0.isEmpty ? nil : $0 }
    let word = first.map { PageAddress(serial: $0.serial, offset: $0.offset).rawValue }
    unwritten.store(word ?? .max)
  }

  /// The buffer that holds the record at an address.
  func buffer(of address: PageAddress) -> PageBuffer? {
    if let sealed, sealed.holds(address) { return sealed }
    if let filling, filling.holds(address) { return filling }
    return nil
  }
}
