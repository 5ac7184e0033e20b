/// A set of calls under way, by their slots: below 256.
struct CallSlots: Hashable {
  private var words: SIMD4<UInt64>

  static let none = CallSlots(words: .zero)

  var count: Int {
    words[0].nonzeroBitCount + words[1].nonzeroBitCount + words[2].nonzeroBitCount
      + words[3].nonzeroBitCount
  }

  @inline(__always)
  func contains(_ slot: Int) -> Bool { words[slot >> 6] & 1 << UInt64(slot & 63) != 0 }

  @inline(__always)
  mutating func insert(_ slot: Int) { words[slot >> 6] |= 1 << UInt64(slot & 63) }

  @inline(__always)
  mutating func remove(_ slot: Int) { words[slot >> 6] &= ~(1 << UInt64(slot & 63)) }

  @inline(__always)
  func isSubset(of other: CallSlots) -> Bool { words & ~other.words == .zero }

  @inline(__always)
  func union(_ other: CallSlots) -> CallSlots { CallSlots(words: words | other.words) }

  @inline(__always)
  func subtracting(_ other: CallSlots) -> CallSlots { CallSlots(words: words & ~other.words) }
}

/// What may be the case at one event of a history: the object's state, and what became of the calls under way.
struct FrontierPossibility<State: Hashable> {
  var state: State
  /// Calls that will return, and have taken effect.
  var taken = CallSlots.none
  /// Calls that will return, and may count as having taken effect just before another one overwrote everything, or
  /// not.
  var covered = CallSlots.none
  /// Calls without an answer that have taken effect.
  var used = CallSlots.none
  /// The last call that took effect is to be seen by the next one.
  var isUnseen = false

  /// Whether whatever may follow on the other one may follow on this one too. Their states are equal, and the calls
  /// taken that do not overwrite.
  func isAsGood(as other: FrontierPossibility) -> Bool {
    // A call is taken in both or in neither, or covered here.
    let differing = taken.subtracting(other.taken).union(other.taken.subtracting(taken))
    return used.isSubset(of: other.used) && other.covered.isSubset(of: covered)
      && differing.isSubset(of: covered) && (!isUnseen || other.isUnseen)
  }
}

/// Possibilities without those that another one makes needless.
struct FrontierMinima<State: Hashable> {
  private struct Key: Hashable {
    var state: State
    /// That do not overwrite.
    var taken: CallSlots
  }

  /// Looked up, and gone through in the order of `keys` alone.
  private var places: [Key: Int] = [:]
  private var groups: [[FrontierPossibility<State>]] = []
  private(set) var count = 0

  private func key(
    _ possibility: FrontierPossibility<State>, _ overwriting: CallSlots
  ) -> Key {
    Key(state: possibility.state, taken: possibility.taken.subtracting(overwriting))
  }

  /// False when one that is there makes it needless.
  @discardableResult
  mutating func add(
    _ possibility: FrontierPossibility<State>, _ overwriting: CallSlots
  ) -> Bool {
    let key = key(possibility, overwriting)
    guard let place = places[key] else {
      places[key] = groups.count
      groups.append([possibility])
      count += 1
      return true
    }
    if groups[place].contains(where: { $0.isAsGood(as: possibility) }) { return false }
    let former = groups[place].count
    groups[place].removeAll { possibility.isAsGood(as: $0) }
    groups[place].append(possibility)
    count += groups[place].count - former
    return true
  }

  /// Whether none that came since makes it needless.
  func has(_ possibility: FrontierPossibility<State>, _ overwriting: CallSlots) -> Bool {
    guard let place = places[key(possibility, overwriting)] else { return false }
    return groups[place].contains {
      $0.taken == possibility.taken && $0.covered == possibility.covered
        && $0.used == possibility.used && $0.isUnseen == possibility.isUnseen
    }
  }

  var all: [FrontierPossibility<State>] { groups.flatMap { $0 } }
}
