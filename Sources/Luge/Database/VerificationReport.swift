/// What `Database.verify` found.
public struct VerificationReport: Equatable, Sendable {
  /// One line a violation; empty when everything holds.
  public var problems: [String] = []
  public var trees = 0
  public var leaves = 0
  public var entries = 0
  /// Bytes of leaf images read back from disk and checked.
  public var imageBytes = 0

  public var holds: Bool { problems.isEmpty }
}
