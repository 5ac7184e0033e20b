/// The sections that a run consists of, in their order.
enum Plan {
  /// Workloads that are steps of one section, on one database.
  static let shared: [Workload] = [
    .loadSequential, .loadRandom, .readRandom, .readZipfian, .scan, .ranges, .mixed95, .mixed50,
    .latency, .batches, .overwrite, .nextID, .delete,
  ]

  static func sections(_ options: Options) -> [PlannedSection] {
    var sections: [PlannedSection] = []
    /// Rounds of a section that runs some workloads, in groups of at most two peers.
    func add(
      _ name: String, _ workloads: [Workload], rounds: Int, isGrouped: Bool = true,
      _ body: @escaping (Section) throws -> Void
    ) {
      let chosen = workloads.filter { options.workloads.contains($0) }
      guard !chosen.isEmpty else { return }
      let wanted = chosen.flatMap { options.peers(of: $0) }
      let peers = Engines.peers.map { $0.name }.filter { wanted.contains($0) }
      let isSplit = isGrouped && !options.areBestPeers
      let groups = isSplit ? peers.pairs : [peers]
      for round in 0..<rounds {
        for group in groups {
          sections.append(
            PlannedSection(
              name: "\(name) \(chosen.map(\.rawValue).joined(separator: ",")) "
                + "\(group.joined(separator: ",")) \(round)",
              engines: [Engines.luge] + group, round: round, body: body))
        }
      }
    }
    add("shared", shared, rounds: options.pairs, SharedSection.run)
    add("small", [.small95], rounds: options.pairs, SmallSection.run)
    add("commit", [.commitSync], rounds: options.pairs, CommitSection.run)
    add("reopen", [.reopenKill], rounds: options.pairs, ReopenSection.run)
    add("space", [.spaceOverwrite], rounds: 1, isGrouped: false, SpaceSection.run)
    add("volume", [.writeVolume], rounds: 1, isGrouped: false, VolumeSection.run)
    add("sequential", [.sequentialKeys], rounds: 1, isGrouped: false, SequentialSection.run)
    add("compression", [.compression], rounds: 1, isGrouped: false, CompressionSection.run)
    add("idle", [.idle], rounds: 1, isGrouped: false, IdleSection.run)
    add("larger", [.largerThanMemory], rounds: 1, isGrouped: false, LargerSection.run)
    add("hundredfold", [.largerThanMemory], rounds: 1, isGrouped: false, HundredfoldSection.run)
    add("growth", [.growth], rounds: 1, isGrouped: false, GrowthSection.run)
    return sections
  }
}

extension Array {
  /// The elements two by two; at least one group, which may be empty.
  fileprivate var pairs: [[Element]] {
    isEmpty
      ? [[]]
      : stride(from: 0, to: count, by: 2).map { Array(self[$0..<Swift.min($0 + 2, count)]) }
  }
}
