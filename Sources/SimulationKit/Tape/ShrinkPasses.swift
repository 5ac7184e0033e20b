/// The passes of the shrinker. Each walks the best tape, tries candidates, and leaves the best.
extension ShrinkSession {
  /// Lanes whose choices are circumstances and not the work itself: tried first and as a whole.
  private static let circumstances = ["schedule", "fault", "disk", "crash"]

  /// The lanes of the best tape: circumstances first, each kind in order of first appearance.
  private var lanes: [String] {
    var seen: Set<String> = []
    var names: [String] = []
    for choice in best where seen.insert(choice.lane).inserted { names.append(choice.lane) }
    var ordered: [String] = []
    for kind in ShrinkSession.circumstances {
      for name in names where ShrinkSession.kind(of: name) == kind { ordered.append(name) }
    }
    for name in names where !ShrinkSession.circumstances.contains(ShrinkSession.kind(of: name)) {
      ordered.append(name)
    }
    return ordered
  }

  /// A lane's name up to its first dot.
  private static func kind(of lane: String) -> String {
    var kind = ""
    for character in lane {
      if character == "." { break }
      kind.append(character)
    }
    return kind
  }

  private func positions(of lane: String) -> [Int] {
    var found: [Int] = []
    var index = 0
    while index < best.count {
      if best[index].lane == lane { found.append(index) }
      index += 1
    }
    return found
  }

  private func bestWithout(_ removed: [Range<Int>], of positions: [Int]) -> [Choice] {
    var isRemoved = [Bool](repeating: false, count: best.count)
    for range in removed {
      for place in range { isRemoved[positions[place]] = true }
    }
    var candidate: [Choice] = []
    candidate.reserveCapacity(best.count)
    var index = 0
    while index < best.count {
      if !isRemoved[index] { candidate.append(best[index]) }
      index += 1
    }
    return candidate
  }

  // MARK: Whole lanes

  /// Empties whole lanes, which makes all their answers zero.
  mutating func clearLanes() {
    for lane in lanes {
      let positions = positions(of: lane)
      if !positions.isEmpty { _ = attempt(bestWithout([0..<positions.count], of: positions)) }
    }
  }

  // MARK: Groups

  /// The groups of a lane, as ranges of places in `positions`. What comes before the first group
  /// belongs to none.
  private func groups(in positions: [Int]) -> [Range<Int>] {
    var ranges: [Range<Int>] = []
    var start = -1
    var place = 0
    while place < positions.count {
      if best[positions[place]].beginsGroup {
        if start >= 0 { ranges.append(start..<place) }
        start = place
      }
      place += 1
    }
    if start >= 0 { ranges.append(start..<place) }
    return ranges
  }

  /// Deletes groups by delta debugging, lane by lane: chunks of half the groups, then of a quarter,
  /// down to single ones; from the end, since what fails last needs what came first more often than
  /// the reverse.
  mutating func deleteGroups() {
    for lane in lanes {
      var size = max(1, groups(in: positions(of: lane)).count / 2)
      while !isOver {
        var end = groups(in: positions(of: lane)).count
        if end == 0 { break }
        while end > 0 && !isOver {
          let positions = positions(of: lane)
          let all = groups(in: positions)
          end = min(end, all.count)
          if end == 0 { break }
          let start = max(0, end - size)
          _ = attempt(bestWithout(Array(all[start..<end]), of: positions))
          // Whether it went or stayed, what lies before `start` is next.
          end = start
        }
        if size == 1 { break }
        size /= 2
      }
    }
  }

  // MARK: Tails

  /// Cuts each lane short, by halves: what fails early needs no rest.
  mutating func deleteTails() {
    for lane in lanes {
      var kept = (positions(of: lane).count + 1) / 2
      while !isOver {
        let positions = positions(of: lane)
        if kept >= positions.count { break }
        if attempt(bestWithout([kept..<positions.count], of: positions)) { break }
        kept += max(1, (positions.count - kept + 1) / 2)
      }
    }
  }

  // MARK: Zeros

  /// Sets choices to zero by delta debugging: chunks of the lane's nonzero choices, halving.
  mutating func clearChunks() {
    for lane in lanes {
      var size = max(1, nonzero(in: lane).count / 2)
      while !isOver {
        var end = nonzero(in: lane).count
        while end > 0 && !isOver {
          let places = nonzero(in: lane)
          end = min(end, places.count)
          if end == 0 { break }
          let start = max(0, end - size)
          var candidate = best
          for place in start..<end { candidate[places[place]].value = 0 }
          _ = attempt(candidate)
          end = start
        }
        if size == 1 { break }
        size /= 2
      }
    }
  }

  private func nonzero(in lane: String) -> [Int] {
    positions(of: lane).filter { best[$0].value != 0 }
  }

  // MARK: Single choices

  /// Deletes runs of choices within a lane that has no groups, so that later ones move up.
  mutating func deleteChunks() {
    for lane in lanes {
      if !groups(in: positions(of: lane)).isEmpty { continue }
      var size = max(1, min(64, positions(of: lane).count / 2))
      while !isOver {
        var end = positions(of: lane).count
        while end > 0 && !isOver {
          let positions = positions(of: lane)
          end = min(end, positions.count)
          if end == 0 { break }
          let start = max(0, end - size)
          _ = attempt(bestWithout([start..<end], of: positions))
          end = start
        }
        if size == 1 { break }
        size /= 2
      }
    }
  }

  // MARK: Values

  /// Lowers each value to the least that a binary search finds.
  mutating func lowerValues() {
    for lane in lanes {
      var place = 0
      while !isOver {
        let positions = positions(of: lane)
        if place >= positions.count { break }
        lowerValue(at: positions[place], in: lane, place: place)
        place += 1
      }
    }
  }

  private mutating func lowerValue(at index: Int, in lane: String, place: Int) {
    if best[index].value <= 1 { return }
    // Fails with `high`, as far as is known not with `low`; 0 was tried among the zeros.
    var low: UInt64 = 0
    var high = best[index].value
    while low + 1 < high && !isOver {
      let middle = low + (high - low) / 2
      var candidate = best
      candidate[index].value = middle
      if attempt(candidate) {
        // The run may have recorded another tape: go on only where the choice is still in place.
        let now = positions(of: lane)
        if place >= now.count || now[place] != index || best[index].value > middle { return }
        high = best[index].value
      } else {
        low = middle
      }
    }
  }
}
