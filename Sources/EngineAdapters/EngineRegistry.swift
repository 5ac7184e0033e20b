public import EngineKit
internal import SimulationKit

/// Every engine that tools and tests know by name. A new one gets a line here.
public enum EngineRegistry {
  /// Engines that keep their contract.
  public static let correct: [any EngineFactory] = {
    var engines: [any EngineFactory] = [LugeEngineFactory(), ReferenceEngineFactory()]
    #if SQLite
      engines.append(SQLiteEngineFactory())
    #endif
    return engines
  }()

  /// Correct engines made to look suspicious: nothing may convict them.
  public static let controls: [WrongEngineFactory] = [
    .losesUnflushedWritesOnly(over: ReferenceEngineFactory())
  ]

  /// Engines with one defect each, over the reference engine. `convictedBy` names the checkers.
  public static let wrong: [WrongEngineFactory] = [
    .losesFlushedWrites(over: ReferenceEngineFactory()),
    .tearsBatches(over: ReferenceEngineFactory()),
    .staleReads(over: ReferenceEngineFactory()),
    .skipsKeyInReverse(over: ReferenceEngineFactory()),
    .leavesHoles(over: ReferenceEngineFactory()),
    .repeatsIdentifiers(over: ReferenceEngineFactory()),
    .recoversDifferently(over: ReferenceEngineFactory()),
    .failsWithoutCause(over: ReferenceEngineFactory()),
    .breaksInvariants(over: ReferenceEngineFactory()),
    .mixesStates(over: ReferenceEngineFactory()),
    .trapsAtSixthWrite(over: ReferenceEngineFactory()),
    .locksInBothOrders(over: ReferenceEngineFactory()),
  ]

  /// Engines over a file system that swallows some calls.
  public static let careless: [SwallowingEngineFactory] = [
    SwallowingEngineFactory(
      "luge-without-file-syncs", over: LugeEngineFactory(), swallowing: .fileSyncs),
    SwallowingEngineFactory(
      "luge-without-directory-syncs", over: LugeEngineFactory(), swallowing: .directorySyncs),
    SwallowingEngineFactory(
      "luge-without-page-syncs", over: LugeEngineFactory(), swallowing: .fileSyncs,
      onPathsWith: "/page-", convictedBy: ["storage-order"]),
    SwallowingEngineFactory(
      "luge-without-value-syncs", over: LugeEngineFactory(), swallowing: .fileSyncs,
      onPathsWith: "/value-", convictedBy: ["storage-order"]),
    SwallowingEngineFactory(
      "luge-without-redo-syncs", over: LugeEngineFactory(), swallowing: .dataSyncs,
      onPathsWith: "/redo-"),
    SwallowingEngineFactory(
      "luge-without-removals", over: LugeEngineFactory(), swallowing: .removals,
      convictedBy: ["space"]),
    SwallowingEngineFactory(
      "reference-without-file-syncs", over: ReferenceEngineFactory(), swallowing: .fileSyncs),
    SwallowingEngineFactory(
      "reference-without-directory-syncs", over: ReferenceEngineFactory(),
      swallowing: .directorySyncs),
  ]

  /// Engines that do not mind what a disk may do: each with the classes that convict it.
  public static let credulous: [CredulousEngineFactory] = [
    .trustsBytes, .ignoresReadErrors,
  ]

  /// Engines over a file system that hides its errors: for the failures of single calls.
  public static let deaf: [any EngineFactory] = [
    SwallowingEngineFactory(
      "luge-without-sync-errors", over: LugeEngineFactory(), swallowing: .syncErrors),
    SwallowingEngineFactory(
      "luge-without-write-errors", over: LugeEngineFactory(), swallowing: .writeErrors),
  ]

  /// A plain engine with a journal, and its twin, which a sync that lies convicts.
  public static let journals: [JournalEngineFactory] = [.stopping, .skipping]

  /// One that lets everybody wait for a call that is stuck.
  public static let waiting: [WrongEngineFactory] = [.waitsForIO(over: LugeEngineFactory())]

  /// One that takes its process with it where others report damage.
  public static let brittle: [WrongEngineFactory] = [.trapsAtDamage(over: LugeEngineFactory())]

  public static let all: [any EngineFactory] =
    correct + controls + wrong + careless + credulous + deaf + journals + waiting + brittle

  public static func named(_ name: String) -> (any EngineFactory)? {
    all.first { $0.name == name }
  }
}
