import Foundation

/// Luge against one peer: in every pair both open a new database, and each step is run by both,
/// one right after the other, the first of them in turns.
struct Comparison {
  let options: Options
  let peer: any Contestant
  let luge: any Contestant = EngineContestant<LugeEngine>()

  func run() throws -> [Result] {
    var results: [Result] = []
    for pair in 0..<options.pairs {
      FileHandle.standardError.write(
        Data("compare: luge and \(peer.name), pair \(pair + 1) of \(options.pairs)\n".utf8))
      if options.workloads.contains(.loadSequential) {
        try run([.loadSequential], pair, &results)
      }
      let others = options.workloads.filter { $0 != .loadSequential }
      if !others.isEmpty { try run(others, pair, &results) }
    }
    return results
  }

  /// Runs the workloads on one new database of each engine, which is loaded first in any case.
  private func run(_ chosen: [Workload], _ pair: Int, _ results: inout [Result]) throws {
    let contestants = [peer, luge]
    let folder = options.directory + "/compare-data"
    let files = FileManager.default
    try? files.removeItem(atPath: folder)
    for contestant in contestants {
      let directory = folder + "/" + contestant.name
      try files.createDirectory(atPath: directory, withIntermediateDirectories: true)
      try contestant.open(directory)
    }
    defer { try? files.removeItem(atPath: folder) }
    var serial = 0
    for workload in Workload.allCases {
      let isChosen = chosen.contains(workload)
      guard isChosen || (workload == .loadRandom && chosen != [.loadSequential]) else { continue }
      for threads in workload.threads {
        serial += 1
        let step = Step(
          workload, threads: threads, entries: options.entries, serial: serial,
          seed: options.seed &+ UInt64(pair) << 32)
        let rates = try measure(step, lugeFirst: pair % 2 == 1)
        if isChosen { note(step, rates, &results) }
      }
    }
    for contestant in contestants { try contestant.close() }
  }

  private func measure(_ step: Step, lugeFirst: Bool) throws -> (luge: Double?, peer: Double?) {
    func rate(_ contestant: any Contestant) throws -> Double? {
      guard contestant.supports(step.workload) else { return nil }
      do {
        let rate = try contestant.run(step)
        try contestant.verify(step)
        return rate
      } catch {
        throw BenchmarkError("\(contestant.name), \(step.workload.rawValue): \(error)")
      }
    }
    if lugeFirst {
      let ours = try rate(luge)
      return (ours, try rate(peer))
    }
    let theirs = try rate(peer)
    return (try rate(luge), theirs)
  }

  private func note(
    _ step: Step, _ rates: (luge: Double?, peer: Double?), _ results: inout [Result]
  ) {
    let place = results.firstIndex {
      $0.workload == step.workload && $0.threads == step.threads
    }
    if place == nil {
      results.append(Result(workload: step.workload, threads: step.threads, peer: peer.name))
    }
    let index = place ?? results.count - 1
    if let rate = rates.luge { results[index].luge.append(rate) }
    if let rate = rates.peer { results[index].theirs.append(rate) }
  }
}

/// What all pairs of one step gave, in the order of the pairs.
struct Result {
  let workload: Workload
  let threads: Int
  let peer: String
  var luge: [Double] = []
  var theirs: [Double] = []

  /// Luge's rate divided by the peer's, of each pair.
  var ratios: [Double] { zip(luge, theirs).map { $0 / $1 } }

  /// The value that the share of the sorted values lies below, interpolated; nil without values.
  static func quantile(_ share: Double, of values: [Double]) -> Double? {
    guard !values.isEmpty else { return nil }
    let sorted = values.sorted()
    let place = share * Double(sorted.count - 1)
    let below = Int(place)
    let above = min(below + 1, sorted.count - 1)
    return sorted[below] + (sorted[above] - sorted[below]) * (place - Double(below))
  }
}
