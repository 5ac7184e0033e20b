/// How large leaves get. Simulations choose tiny ones, so that few operations meet every path.
struct TreeSettings: Equatable, Sendable {
  /// Entries in key order that a leaf may have after a rebuild; more are split. At least 1.
  var leafEntries = 128
  /// Words for keys that came later, filled in order. At least 1.
  var appendWords = 32
  /// Weight in bytes (keys, values, 8 an entry) above which a leaf is split. At least 1.
  var leafBytes = 16 << 10
  /// Pages that a chunk may have; with more it is split. At least 1.
  var chunkPages = 256
  /// Attempts of a batch that others may abort before it closes the gate on new writers. At least 1.
  var lossesBeforeGate = 8
  /// How pages of trees are compressed that have no setting of their own.
  var compression = Compression.none
  /// Bytes of a value from which on it lies apart, in a value segment. At least 1.
  var largeValue = 4 << 10
  /// Bytes of the largest redo piece; the payload of a larger commit lies apart.
  var largestPiece = Int.max
  /// Bytes of the longest key.
  static let longestKey = (1 << 16) - 1
  /// Bytes of the longest value.
  static let longestValue = 64 << 20
}
