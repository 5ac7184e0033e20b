/// What `Database.verify` found.
public struct VerificationReport: Equatable, Sendable {
  /// One line a violation; empty when everything holds.
  public var problems: [String] = []
  /// Trees looked at, the catalogue's own among them.
  public var trees = 0
  /// Leaf images that the newest checkpoint names.
  public var leaves = 0
  /// Entries of all these trees.
  public var entries = 0
  /// Bytes of leaf images read back from disk and checked.
  public var imageBytes = 0

  /// Whether nothing is violated.
  public var holds: Bool { problems.isEmpty }
}
