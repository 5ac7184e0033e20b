internal import Platform

/// The head of a leaf image, checked but for its body. Format: `LeafImage`.
///
/// Safe because the creator guarantees that the image's bytes outlive it, and every view lies
/// within them.
@safe struct LeafHead {
  let isFragment: Bool
  let codec: Codec
  let tree: UInt64
  /// W: the redo records below it of this range are in this image or those before it.
  let lsn: UInt64
  let count: Int
  /// Bytes of the longest key.
  let longestKey: Int
  let low: ByteView
  let hasHigh: Bool
  /// The high key is so many bytes of the low one and then `highRest`.
  let highShared: Int
  let highRest: ByteView
  /// Of a fragment: address of the part before it, never 0. Of a base: 0.
  let previous: UInt64
  /// Bytes of the body when it is plain.
  let bodyBytes: Int
  /// The body as it is stored.
  let stored: ByteView

  var highCount: Int { highShared + highRest.count }

  /// Throws `.corruption`, or `.unsupportedVersion` for a format newer than this code. Never traps,
  /// whatever the bytes. O(1).
  @unsafe
  init(_ bytes: UnsafeRawBufferPointer) throws(LugeError) {
    var reader = unsafe ByteReader(bytes)
    guard let version = unsafe reader.readUInt8(), let flags = unsafe reader.readUInt8() else {
      throw LeafImage.damage("it is too short")
    }
    if version > LeafImage.formatVersion {
      throw LugeError(
        .unsupportedVersion, "a leaf image was written by a newer version",
        expected: "at most \(LeafImage.formatVersion)", found: "\(version)")
    }
    isFragment = flags & LeafImage.fragmentFlag != 0
    hasHigh = flags & LeafImage.highFlag != 0
    guard version == LeafImage.formatVersion, flags >> 4 == 0,
      let codec = Codec(rawValue: flags >> LeafImage.codecShift), !(isFragment && hasHigh),
      let tree = unsafe reader.readVarint(),
      let lsn = unsafe reader.readVarint(), let count = unsafe reader.readVarint(),
      count <= UInt64(LeafImage.largestCount), let longestKey = unsafe reader.readVarint(),
      longestKey <= UInt64(TreeSettings.longestKey), let low = unsafe reader.readCounted(),
      low.count <= TreeSettings.longestKey
    else { throw LeafImage.damage("its head is unreadable") }
    self.codec = codec
    (self.tree, self.lsn) = (tree, lsn)
    (self.count, self.longestKey) = (Int(count), Int(longestKey))
    self.low = unsafe ByteView(low)
    if hasHigh {
      guard let shared = unsafe reader.readVarint(), shared <= UInt64(low.count),
        let rest = unsafe reader.readCounted(), rest.count > 0,
        Int(shared) + rest.count <= TreeSettings.longestKey,
        // So it is above the low key.
        unsafe Int(shared) == low.count || rest[0] > low[Int(shared)]
      else { throw LeafImage.damage("its high key is not above the low one") }
      highShared = Int(shared)
      highRest = unsafe ByteView(rest)
    } else {
      highShared = 0
      highRest = .empty
    }
    if isFragment {
      guard let address = unsafe reader.readUInt64(), address != 0 else {
        throw LeafImage.damage("a fragment names no part before it")
      }
      previous = address
    } else {
      previous = 0
    }
    guard let bodyBytes = unsafe reader.readVarint(),
      bodyBytes <= UInt64(LeafImage.largestBody),
      let stored = unsafe reader.readSlice(reader.remaining),
      codec == .plain ? stored.count == Int(bodyBytes) : bodyBytes > 0
    else { throw LeafImage.damage("its body is of a wrong size") }
    self.bodyBytes = Int(bodyBytes)
    self.stored = unsafe ByteView(stored)
  }
}
