/// A history of a small map, key by key: what scans that are not atomic must still fulfil. Such a scan
/// is a read of each key of its range, each at some moment of its own between call and answer.
///
/// Sound: in a right history of weak scans, the calls that touch one key are linearizable by themselves.
public enum SmallMapProjection {
  /// Nil when every key by itself is explained; else the first that is not. `isWeak` says which calls
  /// are such scans; other arguments as of `SmallMapSearch.violation`.
  public static func violation(
    _ calls: [SmallMapSearch.Call], isWeak: [Bool], from initial: SmallMap.State,
    recovered: SmallMap.State? = nil, floor: UInt64 = 0
  ) -> Int? {
    var place = 0
    while place < SmallMap.capacity {
      var touching: [SmallMapSearch.Call] = []
      var floorHere: UInt64 = 0
      var hasWeak = false
      for (number, call) in calls.enumerated() {
        guard let action = project(call.action, on: place) else { continue }
        if floor & 1 << UInt64(number) != 0 { floorHere |= 1 << UInt64(touching.count) }
        if isWeak[number] { hasWeak = true }
        touching.append(
          TimedAction(action, invoked: call.invoked, returned: call.returned))
      }
      // Without a weak scan, the calls were looked at together already.
      if hasWeak
        && SmallMapSearch.violation(
          touching, from: only(place, of: initial),
          recovered: recovered.map { only(place, of: $0) },
          floor: floorHere) != nil
      {
        return place
      }
      place += 1
    }
    return nil
  }

  private static func only(_ place: Int, of state: SmallMap.State) -> SmallMap.State {
    var alone = SmallMap.State()
    alone[place] = state[place]
    return alone
  }

  /// What a call does to one place; nil when nothing.
  private static func project(_ action: SmallMap.Action, on place: Int) -> SmallMap.Action? {
    switch action {
    case .read(let at, _), .write(let at, _, _), .exchange(let at, _, _, _):
      return at == place ? action : nil
    case .batch(let writes):
      guard let last = writes.last(where: { $0.place == place }) else { return nil }
      return .write(place, value: last.value, found: nil)
    case .scan(let lower, let upper, _, _, let found):
      if place < lower || place >= upper { return nil }
      return .read(place, found: found.first { $0.place == place }?.value ?? 0)
    case .nothing: return nil
    }
  }
}
