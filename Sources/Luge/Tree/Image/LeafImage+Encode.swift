internal import Platform

// Writes leaf images. Format: `LeafImage`.
//
// Safe: records are alive for the length of a call, which the caller's pin sees to; the writer
// checks every write against the size that was computed beforehand.

extension LeafImage {
  /// The base of a page: `count` records whose addresses ascend by key, none a tombstone, at most
  /// `largestCount`.
  ///
  /// - Parameters:
  ///   - lsn: W, the log's tail before the leaf was looked at.
  ///   - high: nil in the last page of a tree.
  ///   - compression: of the body, unless that makes it hardly smaller.
  @unsafe
  static func encodeBase(
    tree: UInt64, lsn: UInt64, low: ByteView, high: ByteView?, records: UnsafePointer<UInt64>,
    count: Int, compression: Compression, contexts: CodecContexts
  ) -> [UInt8] {
    unsafe LeafWriter(tree: tree, lsn: lsn, low: low, high: high, previous: 0, records, count)
      .write(compression, contexts)
  }

  /// A fragment: what changed since the part at `previous` was written, as records whose addresses
  /// ascend by key, tombstones included.
  @unsafe
  static func encodeFragment(
    tree: UInt64, lsn: UInt64, low: ByteView, previous: PageAddress,
    records: UnsafePointer<UInt64>, count: Int, compression: Compression,
    contexts: CodecContexts
  ) -> [UInt8] {
    precondition(previous != .none, "a fragment follows a part that is on disk")
    return unsafe LeafWriter(
      tree: tree, lsn: lsn, low: low, high: nil, previous: previous.rawValue, records, count
    ).write(compression, contexts)
  }
}

/// One image to be written.
@unsafe
private struct LeafWriter {
  private let tree: UInt64
  private let lsn: UInt64
  private let low: ByteView
  private let high: ByteView?
  private let previous: UInt64
  private let records: UnsafePointer<UInt64>
  private let layout: LeafLayout
  private let firstShared: Int
  private let highShared: Int

  init(
    tree: UInt64, lsn: UInt64, low: ByteView, high: ByteView?, previous: UInt64,
    _ records: UnsafePointer<UInt64>, _ count: Int
  ) {
    precondition(count <= LeafImage.largestCount, "a leaf has \(count) entries")
    (unsafe self.tree, unsafe self.lsn, unsafe self.previous) = (tree, lsn, previous)
    (unsafe self.low, unsafe self.high) = (low, high)
    unsafe self.records = records
    unsafe layout = LeafLayout(records, count)
    unsafe firstShared = ByteView.commonPrefix(low, layout.first)
    unsafe highShared = high.map { ByteView.commonPrefix(low, $0) } ?? 0
  }

  func write(_ compression: Compression, _ contexts: CodecContexts) -> [UInt8] {
    let body = unsafe bodyBytes
    let head = unsafe headBytes(body)
    let size = head + body
    return unsafe [UInt8](unsafeUninitializedCapacity: size) { buffer, done in
      let whole = UnsafeMutableRawBufferPointer(buffer)
      if compression != .none && body >= LeafImage.leastCompressed,
        let count = unsafe writeCompressed(whole, head: head, body: body, compression, contexts)
      {
        done = count
        return
      }
      var writer = unsafe RawWriter(whole)
      unsafe writeHead(&writer, body, .plain)
      unsafe writeBody(&writer)
      done = unsafe writer.count
      precondition(done == size, "a leaf image has another size than was computed")
    }
  }

  /// The bytes of the image; nil where compressing saves less than a sixteenth.
  private func writeCompressed(
    _ whole: UnsafeMutableRawBufferPointer, head: Int, body: Int, _ compression: Compression,
    _ contexts: CodecContexts
  ) -> Int? {
    let plain = UnsafeMutableRawBufferPointer.allocate(byteCount: body, alignment: 8)
    defer { unsafe plain.deallocate() }
    var bodyWriter = unsafe RawWriter(plain)
    unsafe writeBody(&bodyWriter)
    let target = unsafe UnsafeMutableRawBufferPointer(
      rebasing: whole[head..<head + body - body / 16])
    guard
      let count = unsafe contexts.compress(UnsafeRawBufferPointer(plain), into: target, compression)
    else {
      probe("image.incompressible")
      return nil
    }
    probe("image.compressed")
    var writer = unsafe RawWriter(UnsafeMutableRawBufferPointer(rebasing: whole[..<head]))
    unsafe writeHead(&writer, body, compression.codec)
    return head + count
  }

  private func writeBody(_ writer: inout RawWriter) {
    if unsafe layout.count == 0 { return }
    unsafe writeLayout(&writer)
    unsafe writeRows(&writer)
  }

  private func headBytes(_ body: Int) -> Int {
    var bytes = 2
    for field in unsafe [tree, lsn] { bytes += varintSize(field) }
    for field in unsafe [layout.count, layout.longestKey, low.count, body] {
      bytes += varintSize(UInt64(field))
    }
    unsafe bytes += low.count
    if let high = unsafe high {
      let rest = unsafe high.count - highShared
      unsafe bytes += varintSize(UInt64(highShared)) + varintSize(UInt64(rest)) + rest
    }
    return unsafe bytes + (previous == 0 ? 0 : 8)
  }

  private func writeHead(_ writer: inout RawWriter, _ body: Int, _ codec: Codec) {
    unsafe writer.write(LeafImage.formatVersion)
    let flags: UInt8 =
      unsafe (previous == 0 ? 0 : LeafImage.fragmentFlag) | (high == nil ? 0 : LeafImage.highFlag)
    unsafe writer.write(flags | codec.rawValue << LeafImage.codecShift)
    unsafe writer.writeVarint(tree)
    unsafe writer.writeVarint(lsn)
    unsafe writer.writeVarint(UInt64(layout.count))
    unsafe writer.writeVarint(UInt64(layout.longestKey))
    unsafe writer.writeVarint(UInt64(low.count))
    unsafe writer.write(low.buffer)
    if let high = unsafe high {
      unsafe writeShared(&writer, high, highShared)
    }
    if unsafe previous != 0 { unsafe writer.write(previous) }
    unsafe writer.writeVarint(UInt64(body))
  }

  /// A key of which the low key has the first `shared` bytes.
  private func writeShared(_ writer: inout RawWriter, _ key: ByteView, _ shared: Int) {
    unsafe writer.writeVarint(UInt64(shared))
    unsafe writer.writeVarint(UInt64(key.count - shared))
    unsafe writer.write(key.dropFirst(shared).buffer)
  }

  private var bodyBytes: Int {
    guard unsafe layout.count > 0 else { return 0 }
    let rest = unsafe layout.first.count - firstShared
    var bytes = unsafe 1 + varintSize(UInt64(firstShared)) + varintSize(UInt64(rest)) + rest
    unsafe bytes += varintSize(UInt64(layout.prefix))
    if unsafe layout.isFixed {
      unsafe bytes += 1 + varintSize(UInt64(layout.number.count)) + varintSize(layout.number.step)
    }
    if unsafe layout.valueCoding == 0 {
      unsafe bytes += varintSize(UInt64(layout.fixedValue))
    }
    return unsafe bytes + layout.rowBytes
  }

  private func writeLayout(_ writer: inout RawWriter) {
    unsafe writer.write(layout.layoutByte)
    unsafe writeShared(&writer, layout.first, firstShared)
    unsafe writer.writeVarint(UInt64(layout.prefix))
    if unsafe layout.isFixed {
      unsafe writer.writeVarint(UInt64(layout.number.count))
      unsafe writer.write(UInt8(layout.number.gapBytes))
      unsafe writer.writeVarint(layout.number.step)
    }
    if unsafe layout.valueCoding == 0 {
      unsafe writer.writeVarint(UInt64(layout.fixedValue))
    }
  }

  private func writeRows(_ writer: inout RawWriter) {
    var former = unsafe Record(address: records[0])
    unsafe writeValue(&writer, former)
    var index = 1
    while unsafe index < layout.count {
      let record = unsafe Record(address: records[index])
      if unsafe layout.isFixed {
        unsafe writeFixedKey(&writer, record.key, after: former.key)
      } else {
        unsafe writeFrontCodedKey(&writer, record.key, after: former.key)
      }
      unsafe writeValue(&writer, record)
      former = record
      index += 1
    }
  }

  private func writeFixedKey(_ writer: inout RawWriter, _ key: ByteView, after former: ByteView) {
    let number = unsafe layout.number
    if number.gapBytes > 0 {
      let digits = unsafe key.dropFirst(layout.prefix)
      let formerDigits = unsafe former.dropFirst(layout.prefix)
      var gap = number.value(digits) &- number.value(formerDigits) &- number.step
      var index = 0
      while index < number.gapBytes {
        unsafe writer.write(UInt8(truncatingIfNeeded: gap))
        gap >>= 8
        index += 1
      }
    }
    if !number.restIsShared {
      unsafe writer.write(key.dropFirst(layout.prefix + number.count).buffer)
    }
  }

  private func writeFrontCodedKey(
    _ writer: inout RawWriter, _ key: ByteView, after former: ByteView
  ) {
    let start = ByteView.commonPrefix(former, key)
    let shared = unsafe start - layout.prefix
    let rest = key.count - start
    unsafe writer.write(UInt8(min(shared, 15) << 4 | min(rest, 15)))
    if shared >= 15 { unsafe writer.writeVarint(UInt64(shared - 15)) }
    if rest >= 15 { unsafe writer.writeVarint(UInt64(rest - 15)) }
    unsafe writer.write(key.dropFirst(start).buffer)
  }

  private func writeValue(_ writer: inout RawWriter, _ record: Record) {
    let length = UInt64(record.storedCount)
    if unsafe layout.valueCoding == 1 { unsafe writer.writeVarint(length) }
    if unsafe layout.valueCoding == 2 {
      unsafe writer.writeVarint(length << 2 | UInt64(record.entryKind.rawValue))
    }
    if record.isReference {
      unsafe record.reference.encode(into: &writer)
    } else {
      unsafe writer.write(record.value.buffer)
    }
  }
}
