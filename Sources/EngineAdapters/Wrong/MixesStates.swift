public import EngineKit

/// Scans in two parts, each of another moment.
final class MixesStates: ForwardingEngine, @unchecked Sendable {
  override func scan(
    _ range: KeyRange, _ direction: Direction, limit: Int, in tree: TreeName
  ) throws(EngineError) -> [Entry] {
    let first = try base.scan(range, direction, limit: min(limit, 2), in: tree)
    guard first.count == 2, limit > 2, let last = first.last else { return first }
    // Gives way to others, by waiting for the disk.
    try base.flush()
    var rest = range
    switch direction {
    case .forward: rest.lower = last.key + [0]
    case .backward: rest.upper = last.key
    }
    return try first + base.scan(rest, direction, limit: limit - 2, in: tree)
  }
}

extension WrongEngineFactory {
  public static func mixesStates(over base: any EngineFactory) -> Self {
    WrongEngineFactory(
      "mixes-states", over: base, convictedBy: ["model-difference", "conserved-total"]
    ) {
      MixesStates($0)
    }
  }
}
