internal import Platform

/// What a part of a page looks like on disk: the payload of a page record of kind leaf. A page is
/// one *base*, which has all its entries, and *fragments*, each of which has what changed since the part before.
///
/// Fixed-width integers are little-endian. A varint has seven bits a byte, lowest first.
///
///     SIZE   DESCRIPTION
///     1      format version, 1
///     1      flags: bit 0 a fragment; bit 1 there is a high key (in a base only);
///            bits 2-3 the body is plain 0, LZ4 1, Zstandard 2
///     varint tree id
///     varint W: of the redo records of this page's keys, all below this LSN are in this part or those
///            before it
///     varint n, entries
///     varint m, bytes of the longest key
///     varint l, then l bytes: the low key, which the page has for ever
///            if there is a high key:
///     varint how many bytes of the low key it begins with
///     varint then so many bytes: its rest, at least one
///            in a fragment:
///     8      address of the part before it
///     varint b, bytes of the plain body
///     -      the body, to the end of the payload, compressed as the flags say
///
/// The body; nothing when n is 0:
///
///     SIZE   DESCRIPTION
///     1      layout: bit 0 keys of fixed length, else front-coded; bits 1-2 values of fixed length 0, of
///            varying length 1, of varying length and kind 2; bits 3-4 digits of the number in the keys:
///            bytes 0, decimal 1, hexadecimal in lower case 2, in upper case 3; bit 5 all keys end alike
///     varint how many bytes of the low key the first key begins with
///     varint then so many bytes: its rest
///     varint p, bytes that all keys begin with
///            keys of fixed length:
///     varint c, digits of the number that follows the p bytes, 0 for none; its first digit is the highest
///     1      g, bytes of a gap, at most 8
///     varint the least step from one number to the next, at least 1; 0 when c is 0
///            values of fixed length:
///     varint length of each value
///     -      n rows in ascending order of keys, to the end of the body
///
/// A row; the first one has no key, because it is above:
///
///     SIZE   DESCRIPTION
///            front-coded:
///     1      bits 4-7 s, how many bytes after the p it shares with the key before; bits 0-3 t, how many
///            follow
///     varint when s is 15: to be added to it
///     varint when t is 15: to be added to it
///     t      the rest of the key
///            of fixed length:
///     g      gap: the number is that of the row before, and the step, and this
///     -      what follows the number in the key, unless all keys end alike
///            the value:
///     varint length, when it varies; length * 4 + kind, when that varies too: kind 0 a value, 1 a
///            tombstone (length 0, in fragments only), 2 a reference to a large value
///     -      the value
///
/// So keys that count up by a fixed step take no bytes, whether they are big-endian, decimal or
/// hexadecimal, and whatever fixed text is around the number; keys that count up with gaps take the gap.
///
/// Invariants: keys ascend strictly, none is below the low key or at or above the high one. A
/// base covers every key between them; a fragment's range is that of its base.
struct LeafImage: Sendable {
  static let formatVersion: UInt8 = 1
  static let fragmentFlag: UInt8 = 1
  static let highFlag: UInt8 = 2
  static let codecShift: UInt8 = 2
  /// Bodies smaller than this are not worth a try.
  static let leastCompressed = 128
  /// The most entries of a part: rows may take no bytes, so damage could claim any number.
  static let largestCount = 1 << 16
  /// The most bytes that a body has when it is plain. Nothing larger is ever allocated for one.
  static let largestBody = 128 << 20

  let tree: UInt64
  /// W: the LSN below which the redo records of this range are in the image.
  let lsn: UInt64
  let low: [UInt8]
  let high: [UInt8]?
  /// Entries, tombstones included.
  let count: Int
  /// Address of the part before a fragment; 0 in a base.
  let previous: UInt64
  private let bytes: [UInt8]
  private let contexts: CodecContexts

  var isFragment: Bool { previous != 0 }

  /// Checks one part from end to end and keeps its bytes: for tests, tools and verification.
  /// `LeafDecoder` is the fast way. Throws `.corruption` or `.unsupportedVersion`; never traps,
  /// whatever the bytes.
  init(
    decoding bytes: [UInt8], contexts: CodecContexts = CodecContexts()
  ) throws(LugeError) {
    // The array outlives the closure; what is kept are copies.
    self = unsafe try bytes.withUnsafeBufferPointer { (buffer) throws(LugeError) in
      var decoder = unsafe try LeafDecoder(
        part: UnsafeRawBufferPointer(buffer), contexts: contexts)
      while try decoder.next() {}
      return LeafImage(
        tree: decoder.tree, lsn: decoder.lsn, low: decoder.low.copy(),
        high: decoder.hasHigh ? decoder.high.copy() : nil, count: decoder.mostEntries,
        previous: decoder.previous, bytes: bytes, contexts: contexts)
    }
  }

  private init(
    tree: UInt64, lsn: UInt64, low: [UInt8], high: [UInt8]?, count: Int, previous: UInt64,
    bytes: [UInt8], contexts: CodecContexts
  ) {
    (self.tree, self.lsn, self.count, self.previous) = (tree, lsn, count, previous)
    (self.low, self.high, self.bytes, self.contexts) = (low, high, bytes, contexts)
  }

  /// Calls `body` with each entry in key order; the views are good until it returns.
  func visit(_ body: (_ key: ByteView, _ value: ByteView, _ kind: EntryKind) -> Void) {
    // The array outlives the closure. `init` has checked everything that is read here.
    unsafe bytes.withUnsafeBytes { buffer in
      do throws(LugeError) {
        var decoder = unsafe try LeafDecoder(part: buffer, contexts: contexts)
        while try decoder.next() { body(decoder.key, decoder.value, decoder.kind) }
      } catch {
        preconditionFailure("a checked leaf image has changed")
      }
    }
  }

  /// The same of a base, where there are no tombstones.
  func visitEntries(_ body: (_ key: ByteView, _ value: ByteView) -> Void) {
    visit { key, value, _ in body(key, value) }
  }

  static func damage(_ what: String) -> LugeError {
    LugeError(.corruption, "a leaf image has a good checksum and cannot be decoded: \(what)")
  }
}

/// What an entry of an image is.
enum EntryKind: UInt8, Sendable {
  case value = 0
  /// The key has no value: hides what parts before say. In fragments only.
  case tombstone = 1
  /// The value is apart; what is here says where.
  case reference = 2
}
