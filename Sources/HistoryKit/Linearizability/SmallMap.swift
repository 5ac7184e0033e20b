/// A map of at most 16 places, in the order of their keys, each absent (0) or holding a number: what
/// small concurrent programs are checked against. All of them fit into one vector, so that a state is
/// copied, compared and hashed in a few instructions.
public struct SmallMap: SequentialModel {
  public typealias State = SIMD16<UInt16>
  /// Places there can be.
  public static let capacity = 16

  public enum Action: Hashable, Sendable {
    /// Read `place`, and found `found`.
    case read(Int, found: UInt16)
    /// Set `place` to `value` (0 removes), and found `found`; nil: not known, or not told.
    case write(Int, value: UInt16, found: UInt16?)
    /// Set `place` to `desired` if it held `expected`; nil: the answer is not known.
    case exchange(Int, expected: UInt16, desired: UInt16, answer: ExchangeAnswer?)
    /// Set several places at once.
    case batch([Write])
    /// Read the places from `lower` up to `upper` at once, and found these, in this direction, at most
    /// `limit` of them.
    case scan(lower: Int, upper: Int, backward: Bool, limit: Int, found: [Write])
    /// Nothing that the map would notice.
    case nothing
  }

  public struct ExchangeAnswer: Hashable, Sendable {
    public var exchanged: Bool
    public var found: UInt16
    public init(exchanged: Bool, found: UInt16) {
      self.exchanged = exchanged
      self.found = found
    }
  }

  public struct Write: Hashable, Sendable {
    public var place: Int
    public var value: UInt16
    public init(_ place: Int, _ value: UInt16) {
      self.place = place
      self.value = value
    }
  }

  public init() {}

  public func apply(_ action: Action, to state: State) -> State? {
    var next = state
    switch action {
    case .read(let place, let found):
      if state[place] != found { return nil }
    case .write(let place, let value, let found):
      if let found, state[place] != found { return nil }
      next[place] = value
    case .exchange(let place, let expected, let desired, let answer):
      let matches = state[place] == expected
      if let answer, answer.found != state[place] || answer.exchanged != matches { return nil }
      if matches { next[place] = desired }
    case .batch(let writes):
      for write in writes { next[write.place] = write.value }
    case .scan(let lower, let upper, let backward, let limit, let found):
      if !SmallMap.shows(state, lower, upper, backward, limit, found) { return nil }
    case .nothing: break
    }
    return next
  }

  private static func shows(
    _ state: State, _ lower: Int, _ upper: Int, _ backward: Bool, _ limit: Int, _ found: [Write]
  ) -> Bool {
    var seen = 0
    var step = 0
    while step < upper - lower && seen < limit {
      let place = backward ? upper - 1 - step : lower + step
      step += 1
      if state[place] == 0 { continue }
      if seen == found.count || found[seen].place != place || found[seen].value != state[place] {
        return false
      }
      seen += 1
    }
    return seen == found.count
  }
}
