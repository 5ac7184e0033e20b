internal import EngineKit
internal import HistoryKit

/// A scenario that must fail: its check after a recovery, or at the end of the tape, never holds
/// once one key has been written. A harness that calls it valid checks nothing.
public struct Canary: Workload {
  public init() {}
  public var summary: String { "always fails: shows that failures are seen, shrunk and reported" }

  public func prepare(_ lane: ChoiceLane, for world: WorkloadWorld) -> any WorkloadRun {
    CanaryRun()
  }
}

extension Workload where Self == Canary {
  public static var canary: Canary { Canary() }
}

final class CanaryRun: WorkloadRun {
  private var written = false

  func step(_ client: Client) -> Bool {
    guard let dice = client.nextKind(16, in: client.lane) else { return false }
    let key = Payload.decimal(UInt64(dice), digits: 2)
    let outcome = client.perform(.insert(client.value(length: 8), for: key, in: .default))
    if !outcome.isFailure { written = true }
    if dice == 1 { _ = client.perform(.flush) }
    return true
  }

  func recovered(_ state: RecoveredState) -> [String] {
    written ? ["the canary sings: a key was written"] : []
  }
}
