/// The kinds of states that are looked at, at each moment.
public enum StateClass: String, CaseIterable, Sendable {
  /// Nothing of the unsynced.
  case none
  /// All of it.
  case all
  /// All that happened before one change, and of that a prefix of its sectors.
  case prefix
  /// All but one sector, length or name.
  case drop
  /// Only one; for sectors also with all lengths and names.
  case keep
  /// One sector torn: all else kept, all other sectors lost, all before it kept and all after it
  /// lost.
  case tear
  /// One sector as it was between two of its writes: all else kept, or lost.
  case version
  /// Every combination, where there are few enough.
  case subset

  public var ordinal: Int { StateClass.allCases.firstIndex(of: self) ?? 0 }
}

/// Goes through the states that a power loss may leave at one moment, in a fixed order.
///
/// Of n pending items (sectors, lengths, names) the classes but `subset` have a number of states
/// that is linear in n; `subset` is all combinations of all versions where these are at most
/// `mostSubsets`, else all combinations of durable and newest where *these* are, else nothing.
/// States of different classes may be the same.
struct StateEnumeration {
  let pending: PendingChanges
  /// 2^12: all combinations of twelve items.
  var mostSubsets = 4096

  typealias Body = (StateClass, _ ordinal: Int, [Int32]) -> Void

  init(_ pending: PendingChanges) { self.pending = pending }

  func visit(_ body: Body) {
    body(.none, 0, pending.oldest)
    if pending.items.isEmpty { return }
    body(.all, 0, pending.newest)
    prefixes(body)
    drops(body)
    keeps(body)
    tears(body)
    versions(body)
    subsets(body)
  }

  // MARK: Prefixes

  /// The numbers of all changes, ascending, each once.
  private var points: [UInt64] {
    var points = pending.names.map(\.sequence)
    for file in pending.files {
      for write in file.chains.writes { points.append(write.sequence) }
      for number in file.lostFrom where number != .max { points.append(number) }
    }
    points.sort()
    var distinct: [UInt64] = []
    for point in points where distinct.last != point { distinct.append(point) }
    return distinct
  }

  /// What was there just before the change of number `point`.
  private func before(_ point: UInt64) -> [Int32] {
    var choices = pending.oldest
    for (place, item) in pending.items.enumerated() {
      switch item {
      case .name(let name): choices[place] = pending.names[name].sequence < point ? 1 : 0
      case .length(let file):
        var kept: Int32 = 0
        for number in pending.files[file].lostFrom where number < point { kept += 1 }
        choices[place] = min(kept, pending.options[place] - 1)
      case .sector(let file, let n):
        choices[place] = Int32(pending.files[file].chains.version(n, before: point))
      }
    }
    return choices
  }

  /// The items that the change of number `point` writes, in order of sectors, and the version
  /// before it.
  private func written(at point: UInt64) -> [(item: Int, version: Int)] {
    var found: [(item: Int, version: Int)] = []
    for (place, item) in pending.items.enumerated() {
      guard case .sector(let file, let n) = item else { continue }
      let chains = pending.files[file].chains
      let version = chains.version(n, before: point)
      if version < chains.length(n) {
        let write = chains.writes[chains.write(n, after: version)]
        if write.sequence == point && !write.isCut { found.append((place, version)) }
      }
    }
    return found
  }

  private func prefixes(_ body: Body) {
    var ordinal = 0
    for point in points {
      var choices = before(point)
      body(.prefix, ordinal, choices)
      ordinal += 1
      let reached = written(at: point)
      if reached.count < 2 { continue }
      for (item, version) in reached.dropLast() {
        choices[item] = Int32(version + 1)
        body(.prefix, ordinal, choices)
        ordinal += 1
      }
    }
  }

  // MARK: Single items

  private func drops(_ body: Body) {
    var ordinal = 0
    for (place, item) in pending.items.enumerated() {
      var choices = pending.newest
      var option: Int32 = 0
      // Of a length each change may be the first that is lost.
      let last = if case .length = item { pending.options[place] - 2 } else { Int32(0) }
      while option <= last {
        choices[place] = option
        body(.drop, ordinal, choices)
        ordinal += 1
        option += 1
      }
    }
  }

  /// All names and lengths, no data.
  private var metadata: [Int32] {
    var choices = pending.newest
    for (place, item) in pending.items.enumerated() {
      if case .sector = item { choices[place] = 0 }
    }
    return choices
  }

  private func keeps(_ body: Body) {
    let metadata = metadata
    body(.keep, 0, metadata)
    var data = pending.newest
    for (place, item) in pending.items.enumerated() {
      if case .sector = item { continue }
      data[place] = 0
    }
    body(.keep, 1, data)
    var ordinal = 2
    for (place, item) in pending.items.enumerated() {
      var alone = pending.oldest
      alone[place] = pending.options[place] - 1
      if case .name(let name) = item { keepNeeded(by: name, &alone) }
      body(.keep, ordinal, alone)
      ordinal += 1
      guard case .sector = item else { continue }
      var choices = metadata
      choices[place] = alone[place]
      body(.keep, ordinal, choices)
      ordinal += 1
    }
  }

  /// A change of a name is there only with the earlier ones of the same name.
  private func keepNeeded(by name: Int, _ choices: inout [Int32]) {
    var later = name
    while later >= 0 {
      if choices[later] != 0 {
        for earlier in 0..<later where pending.names[earlier].isNeeded(by: pending.names[later]) {
          choices[earlier] = 1
        }
      }
      later -= 1
    }
  }

  private func tears(_ body: Body) {
    var ordinal = 0
    let metadata = metadata
    for (place, item) in pending.items.enumerated() {
      guard case .sector(let file, let n) = item else { continue }
      let chains = pending.files[file].chains
      let newest = chains.length(n)
      let torn = PendingChanges.tornChoice(old: 0, new: newest)
      for surroundings in [pending.newest, metadata] {
        var choices = surroundings
        choices[place] = torn
        body(.tear, ordinal, choices)
        ordinal += 1
      }
      let write = chains.writes[chains.write(n, after: newest - 1)]
      if write.isCut { continue }
      var choices = before(write.sequence)
      choices[place] = PendingChanges.tornChoice(old: newest - 1, new: newest)
      body(.tear, ordinal, choices)
      ordinal += 1
    }
  }

  private func versions(_ body: Body) {
    var ordinal = 0
    let metadata = metadata
    for (place, item) in pending.items.enumerated() {
      guard case .sector = item else { continue }
      var version: Int32 = 1
      while version < pending.options[place] - 1 {
        for surroundings in [pending.newest, metadata] {
          var choices = surroundings
          choices[place] = version
          body(.version, ordinal, choices)
          ordinal += 1
        }
        version += 1
      }
    }
  }

  // MARK: Combinations

  /// Whether there are few enough items for all combinations.
  var hasSubsets: Bool {
    pending.items.count < Int.bitWidth - 2 && 1 << pending.items.count <= mostSubsets
  }

  private func subsets(_ body: Body) {
    if !hasSubsets { return }
    var count = 1
    for options in pending.options where count <= mostSubsets { count *= Int(options) }
    combine(
      count <= mostSubsets
        ? pending.options : [Int32](repeating: 2, count: pending.items.count), body)
  }

  /// Counts through the options like an odometer; the last of two is the newest.
  private func combine(_ options: [Int32], _ body: Body) {
    var choices = pending.oldest
    var ordinal = 0
    while true {
      body(.subset, ordinal, choices)
      ordinal += 1
      var place = 0
      while place < choices.count {
        let step = options[place] == 2 ? pending.options[place] - 1 : 1
        if choices[place] + step < pending.options[place] {
          choices[place] += step
          break
        }
        choices[place] = 0
        place += 1
      }
      if place == choices.count { return }
    }
  }
}
