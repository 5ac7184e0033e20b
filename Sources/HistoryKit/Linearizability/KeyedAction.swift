/// One operation of a history of an ordered map, with its answer. Keys are numbers in the order of the keys; values
/// are numbers, 0 for absence. A register is a map of one key.
public enum KeyedAction: Sendable, Hashable {
  case point(key: Int32, RegisterCall.Kind, value: Int32, expected: Int32)
  /// Set all at once; of several for one key the last counts.
  case batch([KeyedValue])
  /// Read the keys from `lower` to below `upper` at one moment, and found these, in this direction, at most
  /// `limit`.
  indirect case scan(lower: Int32, upper: Int32, backward: Bool, limit: Int, found: [KeyedValue])
}

public struct KeyedValue: Sendable, Hashable {
  public var key: Int32
  public var value: Int32
  public init(_ key: Int32, _ value: Int32) {
    self.key = key
    self.value = value
  }
}

/// An ordered map of few keys, as a sequential model: its state is the value of each.
struct KeyedModel: SequentialModel {
  func apply(_ action: KeyedAction, to state: [Int32]) -> [Int32]? {
    switch action {
    case .point(let key, let kind, let value, let expected):
      let call = RegisterCall(kind, value: value, expected: expected, invoked: 0)
      let old = state[Int(key)]
      guard let new = RegisterModel().apply(call, to: old) else { return nil }
      if new == old { return state }
      var next = state
      next[Int(key)] = new
      return next
    case .batch(let writes):
      var next = state
      for write in writes { next[Int(write.key)] = write.value }
      return next
    case .scan(let lower, let upper, let backward, let limit, let found):
      return KeyedModel.shows(state, lower, upper, backward, limit, found) ? state : nil
    }
  }

  func changesNothing(_ action: KeyedAction) -> Bool {
    switch action {
    case .point(_, let kind, _, _): kind == .read || kind == .mismatch
    case .batch: false
    case .scan: true
    }
  }

  func areAlike(_ one: KeyedAction, _ other: KeyedAction) -> Bool { one == other }

  private static func shows(
    _ state: [Int32], _ lower: Int32, _ upper: Int32, _ backward: Bool, _ limit: Int,
    _ found: [KeyedValue]
  ) -> Bool {
    var seen = 0
    var step: Int32 = 0
    while step < upper - lower && seen < limit {
      let key = backward ? upper - 1 - step : lower + step
      step += 1
      let value = state[Int(key)]
      if value == 0 { continue }
      if seen == found.count || found[seen] != KeyedValue(key, value) { return false }
      seen += 1
    }
    return seen == found.count
  }
}
