public import EngineKit

/// Passes over the second entry of a backward scan.
final class SkipsKeyInReverse: ForwardingEngine, @unchecked Sendable {
  override func scan(
    _ range: KeyRange, _ direction: Direction, limit: Int, in tree: TreeName
  ) throws(EngineError) -> [Entry] {
    guard direction == .backward, limit > 1 else {
      return try base.scan(range, direction, limit: limit, in: tree)
    }
    let more = limit == .max ? limit : limit + 1
    var entries = try base.scan(range, direction, limit: more, in: tree)
    if entries.count > 1 { entries.remove(at: 1) }
    return entries
  }
}

extension WrongEngineFactory {
  public static func skipsKeyInReverse(over base: any EngineFactory) -> Self {
    WrongEngineFactory("skips-key-in-reverse", over: base, convictedBy: ["model-difference"]) {
      SkipsKeyInReverse($0)
    }
  }
}
