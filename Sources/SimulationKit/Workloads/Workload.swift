public import EngineKit
public import HistoryKit

/// What clients do to an engine. A workload is a value; `prepare` draws what is fixed for one tape.
///
/// To add one: copy the shortest file of this folder, and add a scenario that uses it.
public protocol Workload: Sendable {
  /// One line for `simulate list`.
  var summary: String { get }

  /// What the engine must have for this workload to make sense.
  var requiredCapabilities: EngineCapabilities { get }

  /// How many clients may run it at once, where the engine takes concurrent ones.
  var clients: ClosedRange<Int> { get }

  /// The most bytes, keys and values, that one operation writes, with a little for the engine's own:
  /// tapes draw segments that are small multiples of it.
  var largestWrite: Int { get }

  /// Why this workload cannot run on this machine, or nil: as a data set that is not installed.
  var obstacle: String? { get }

  /// Draws what is fixed for one tape.
  func prepare(_ lane: ChoiceLane, for world: WorkloadWorld) -> any WorkloadRun
}

extension Workload {
  public var obstacle: String? { nil }
  public var requiredCapabilities: EngineCapabilities { [] }
  public var clients: ClosedRange<Int> { 1...4 }
  public var largestWrite: Int { 32 << 10 }
}

/// What a workload may know of the tape it runs in.
public struct WorkloadWorld: Sendable {
  /// Of the engine under test.
  public var capabilities: EngineCapabilities
  /// Clients that run at once.
  public var clients: Int
  /// Operations of the whole tape, all clients together.
  public var operations: Int
  /// Bytes that the engine takes in a batch, keys and values, with 64 for each write.
  public var largestBatch: Int

  public init(
    capabilities: EngineCapabilities, clients: Int, operations: Int, largestBatch: Int = .max
  ) {
    self.largestBatch = largestBatch
    self.capabilities = capabilities
    self.clients = clients
    self.operations = operations
  }
}

/// A workload in the middle of a tape. Its state outlives crashes: it is the clients' memory, not
/// the engine's. Clients call it one at a time (simulated threads switch in `Client.perform` only).
public protocol WorkloadRun: AnyObject {
  /// Does the next thing. Each step begins a group in a lane of the client. False: this client has
  /// nothing more to do before the next crash.
  func step(_ client: Client) -> Bool

  /// Called when the database has been opened, with what is in it: what the workload knows must
  /// hold of its own data. Returns what does not, as sentences.
  func recovered(_ state: RecoveredState) -> [String]
}

extension WorkloadRun {
  public func recovered(_ state: RecoveredState) -> [String] { [] }
}
