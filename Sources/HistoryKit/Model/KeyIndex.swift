public import EngineKit

/// The keys of one tree in order, each with a number (its *slot*) given by the owner.
///
/// Invariants: `keys` is strictly ascending; `slots[i]` belongs to `keys[i]`.
/// A sorted array: for the thousands of keys of a simulation nothing beats it, and an
/// unoptimised build searches it as fast as an optimised one.
public struct KeyIndex: Sendable {
  public private(set) var keys: [Bytes] = []
  public private(set) var slots: [Int] = []

  public init() {}

  public var count: Int { keys.count }

  /// The place of the first key that is not below `key`.
  public func lowerBound(_ key: Bytes) -> Int {
    var low = 0
    var high = keys.count
    while low < high {
      let middle = (low &+ high) / 2
      if keys[middle].order(against: key) < 0 { low = middle + 1 } else { high = middle }
    }
    return low
  }

  /// The places of the keys of a range; empty where the range is inverted.
  public func places(in range: KeyRange) -> Range<Int> {
    let low = range.lower.map { lowerBound($0) } ?? 0
    let high = range.upper.map { lowerBound($0) } ?? keys.count
    return low..<max(low, high)
  }

  /// The slot of a key, or -1.
  public func slot(of key: Bytes) -> Int {
    let place = lowerBound(key)
    return place < keys.count && keys[place].isSame(as: key) ? slots[place] : -1
  }

  /// Adds a key that may be there already; returns its slot, which is `slot` when it is new.
  public mutating func add(_ key: Bytes, slot: Int) -> Int {
    if keys.isEmpty {
      keys.reserveCapacity(16)
      slots.reserveCapacity(16)
    }
    // Loads come in order as a rule.
    if let last = keys.last, last.order(against: key) < 0 {
      keys.append(key)
      slots.append(slot)
      return slot
    }
    let place = lowerBound(key)
    if place < keys.count, keys[place].isSame(as: key) { return slots[place] }
    keys.insert(key, at: place)
    slots.insert(slot, at: place)
    return slot
  }

  /// Removes a key; returns the slot that it had, or -1.
  public mutating func remove(_ key: Bytes) -> Int {
    let place = lowerBound(key)
    guard place < keys.count, keys[place].isSame(as: key) else { return -1 }
    keys.remove(at: place)
    return slots.remove(at: place)
  }

  public mutating func removeAll() {
    keys.removeAll(keepingCapacity: true)
    slots.removeAll(keepingCapacity: true)
  }
}
