public import EngineKit

/// What one key may hold, as far as the calls of the clients tell.
///
/// `candidates` are the writes that may still be the last one, ascending in invocation. With one client
/// at a time there is exactly one.
public struct Register: Sendable {
  public struct Candidate: Sendable {
    /// The number of the call that writes; -1 for what was there at the start.
    public var call: Int
    public var value: Bytes?
    /// The place of the invocation in the order of events; -1 for what was there at the start.
    public var invoked: Int
    /// The place of the return; `.max` while it may still take place, or not.
    public var returned: Int
  }

  public private(set) var candidates: [Candidate]

  public init(_ value: Bytes?) {
    candidates = [Candidate(call: -1, value: value, invoked: -1, returned: -1)]
  }

  /// True when nothing is uncertain about the value.
  public var isSettled: Bool { candidates.count == 1 }
  /// The value, where it is settled.
  public var settled: Bytes? { candidates[0].value }

  /// Writes that were under way at `moment` or began later.
  public func writes(besides moment: Int) -> Int {
    var number = 0
    var place = 0
    while place < candidates.count {
      if candidates[place].returned > moment { number += 1 }
      place += 1
    }
    return number
  }

  /// The same call may write again: a later write of a batch replaces an earlier one.
  public mutating func begin(call: Int, value: Bytes?, at moment: Int) {
    let last = candidates.count - 1
    if last >= 0, candidates[last].call == call {
      candidates[last].value = value
      return
    }
    candidates.append(Candidate(call: call, value: value, invoked: moment, returned: .max))
  }

  /// The call took effect, and returned at `moment`. `earliestActive` is the earliest invocation
  /// of a call under way: what no such call can have seen is forgotten.
  public mutating func end(call: Int, at moment: Int, earliestActive: Int) {
    var place = candidates.count - 1
    while place >= 0, candidates[place].call != call { place -= 1 }
    guard place >= 0 else { return }
    candidates[place].returned = moment
    if candidates.count > 1 { prune(earliestActive: min(earliestActive, moment + 1)) }
  }

  /// The call had no effect, and will have none.
  public mutating func cancel(call: Int) {
    candidates.removeAll { $0.call == call }
  }

  /// Forgets writes that every call from `earliestActive` on finds replaced.
  public mutating func prune(earliestActive: Int) {
    let replaced = lastReplacement(before: earliestActive, except: -2)
    if replaced < 0 { return }
    candidates.removeAll { $0.returned < replaced }
  }

  /// Whether a read invoked at `invoked` that has just returned may have found `value`, the writes
  /// of call `except` apart.
  ///
  /// A write may be what it found unless another effective write began after the one had returned, and
  /// returned before the read began. Exact with one client; with several a necessary condition.
  public func allows(_ value: Bytes?, invoked: Int, except: Int = -2) -> Bool {
    let replaced = lastReplacement(before: invoked, except: except)
    var place = candidates.count - 1
    while place >= 0 {
      if candidates[place].returned >= replaced, candidates[place].call != except,
        candidates[place].value.isSame(as: value)
      {
        return true
      }
      place -= 1
    }
    return false
  }

  /// Whether a read invoked at `invoked` may have found some value.
  public func allowsPresence(invoked: Int) -> Bool {
    let replaced = lastReplacement(before: invoked, except: -2)
    for candidate in candidates where candidate.returned >= replaced {
      if candidate.value != nil { return true }
    }
    return false
  }

  /// The last invocation among the writes that returned before `moment`; -1 when there is none.
  private func lastReplacement(before moment: Int, except: Int) -> Int {
    var place = candidates.count - 1
    while place >= 0 {
      if candidates[place].returned < moment, candidates[place].call != except {
        return candidates[place].invoked
      }
      place -= 1
    }
    return -1
  }

  /// What the key may hold for a read invoked at `invoked`, for messages.
  public func described(invoked: Int) -> String {
    let replaced = lastReplacement(before: invoked, except: -2)
    var texts: [String] = []
    for candidate in candidates where candidate.returned >= replaced {
      let text = Described.value(candidate.value)
      if !texts.contains(text) { texts.append(text) }
    }
    return texts.joined(separator: " or ")
  }
}
