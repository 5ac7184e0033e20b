/// What was pending when the power went, and what became of it.
public struct PowerLossReport: Equatable, Sendable {
  /// Sectors with unsynced writes, each counted once.
  public internal(set) var pendingSectors = 0
  /// Files whose length had unsynced changes.
  public internal(set) var pendingLengths = 0
  /// Unsynced creations, removals and renames.
  public internal(set) var pendingNames = 0

  /// Sectors whose newest version is not there (a torn one is not counted here).
  public internal(set) var droppedWrites = 0
  public internal(set) var tornWrites = 0
  /// Sectors left at an intermediate version, and one more when a later write survived an earlier.
  public internal(set) var reorderedWrites = 0
  /// Files whose length is not the newest.
  public internal(set) var lostLengths = 0
  /// Changes of names that are lost and were to be seen.
  public internal(set) var lostNames = 0

  public init() {}
}
