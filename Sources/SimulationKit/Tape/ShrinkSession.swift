/// One shrinking: the best tape so far, the budget, and the trying of candidates. The passes are in
/// ShrinkPasses.swift.
struct ShrinkSession {
  private(set) var best: [Choice]
  private(set) var runs = 0
  /// True when the budget is spent, the caller wants no more, or the predicate threw.
  private(set) var isOver = false
  private(set) var error: (any Error)?

  private var complexity: TapeComplexity
  /// Fingerprints of the tapes already tried, so that later rounds cost no runs. Two tapes of one
  /// fingerprint would only cost a chance. Looked up only, never walked.
  private var tried: Set<UInt64> = []
  private let maximumRuns: Int
  private let shouldStop: () -> Bool
  private let rerun: ([Choice]) throws -> [Choice]?

  init(
    choices: [Choice], maximumRuns: Int, shouldStop: @escaping () -> Bool,
    rerun: @escaping ([Choice]) throws -> [Choice]?
  ) {
    best = ShrinkSession.withoutTrailingZeros(choices)
    complexity = TapeComplexity(best)
    self.maximumRuns = maximumRuns
    self.shouldStop = shouldStop
    self.rerun = rerun
  }

  /// Runs all passes until none of them gets any further.
  mutating func shrinkToFixpoint() {
    var former: TapeComplexity
    repeat {
      former = complexity
      clearLanes()
      deleteGroups()
      deleteTails()
      clearChunks()
      deleteChunks()
      lowerValues()
    } while complexity < former && !isOver
  }

  /// Keeps `candidate` if it is simpler than the best and still fails. Says whether it did.
  mutating func attempt(_ candidate: [Choice]) -> Bool {
    if isOver { return false }
    let trimmed = ShrinkSession.withoutTrailingZeros(candidate)
    let trimmedComplexity = TapeComplexity(trimmed)
    if !(trimmedComplexity < complexity) { return false }
    if !tried.insert(ShrinkSession.fingerprint(trimmed)).inserted { return false }
    if runs >= maximumRuns || shouldStop() {
      isOver = true
      return false
    }
    runs += 1
    do {
      guard let recorded = try rerun(trimmed) else { return false }
      // Both lead to the same run. What was recorded lacks what was never drawn, but may be longer
      // where the shorter run went on further on zeros.
      let recordedTrimmed = ShrinkSession.withoutTrailingZeros(recorded)
      let recordedComplexity = TapeComplexity(recordedTrimmed)
      if recordedComplexity < trimmedComplexity {
        best = recordedTrimmed
        complexity = recordedComplexity
      } else {
        best = trimmed
        complexity = trimmedComplexity
      }
      return true
    } catch {
      self.error = error
      isOver = true
      return false
    }
  }

  private static func fingerprint(_ choices: [Choice]) -> UInt64 {
    var hash: UInt64 = 0
    for choice in choices {
      for byte in choice.lane.utf8 { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01B3 }
      hash = SplitMix64.mix(hash ^ choice.value &+ (choice.beginsGroup ? 1 << 63 : 0))
    }
    return hash
  }

  /// Drops the zeros at the end of every lane: an exhausted lane answers zero, so nothing changes.
  static func withoutTrailingZeros(_ choices: [Choice]) -> [Choice] {
    // Looked up only, never walked.
    var alive: Set<String> = []
    var kept = [Bool](repeating: false, count: choices.count)
    var index = choices.count - 1
    while index >= 0 {
      if choices[index].value != 0 { alive.insert(choices[index].lane) }
      kept[index] = alive.contains(choices[index].lane)
      index -= 1
    }
    var result: [Choice] = []
    index = 0
    while index < choices.count {
      if kept[index] { result.append(choices[index]) }
      index += 1
    }
    return result
  }
}
