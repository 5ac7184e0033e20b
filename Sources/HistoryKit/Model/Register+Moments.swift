public import EngineKit

extension Register {
  /// The moments between two events.
  public struct Moments: Equatable, Sendable {
    /// The place of an event; the moments come after it.
    public var after: Int
    /// The place of an event; the moments come before it.
    public var before: Int

    public init(after: Int, before: Int) {
      self.after = after
      self.before = before
    }

    /// What two lists have in common, each the union of its members.
    public static func common(_ left: [Moments], _ right: [Moments]) -> [Moments] {
      var result: [Moments] = []
      for one in left {
        for other in right {
          let both = Moments(
            after: max(one.after, other.after), before: min(one.before, other.before))
          if both.after < both.before && !result.contains(both) { result.append(both) }
        }
      }
      return result
    }
  }

  /// The moments at which a read invoked at `invoked` may have found `value`. Of the calls `shown`, which took
  /// place before those moments, no value is found that had been replaced for certain when they began.
  public func moments(of value: Bytes?, invoked: Int, shown: [Int]) -> [Moments] {
    var result: [Moments] = []
    for candidate in candidates where candidate.value.isSame(as: value) {
      var moments = Moments(after: candidate.invoked, before: .max)
      for later in candidates where later.invoked > candidate.returned {
        // Whoever comes after it has not taken place yet.
        moments.before = min(
          moments.before, shown.contains(later.call) ? later.invoked : later.returned)
      }
      if moments.after < moments.before && moments.before > invoked { result.append(moments) }
    }
    return result
  }

  /// The call that wrote `value`, if only one did, and it is none of before.
  public func onlyWriter(of value: Bytes) -> Int? {
    var found: Int?
    for candidate in candidates where candidate.value.isSame(as: value) {
      if found != nil { return nil }
      found = candidate.call
    }
    return found.flatMap { $0 < 0 ? nil : $0 }
  }
}
