import Foundation
import Testing

@testable import compare

/// Ratios, verdicts, lines and the journal.
@Suite struct ReportTests {
  private let row = Row(workload: .readRandom, threads: 1, entries: 1000)

  private func sample(
    _ engine: String, _ section: String, _ operations: Int, attempt: Int = 1
  ) -> Sample {
    var sample = Sample(row: row, engine: engine, section: section, attempt: attempt)
    sample.measurement.operations = operations
    sample.measurement.seconds = 1
    sample.measurement.p99 = 100 / Double(operations)
    return sample
  }

  /// The median of the ratios differs here from the ratio of the medians.
  private var results: Results {
    Results([
      sample("luge", "a", 100), sample("lmdb", "a", 50), sample("leveldb", "a", 80),
      sample("luge", "b", 300), sample("lmdb", "b", 100), sample("leveldb", "b", 100),
      sample("luge", "c", 200), sample("lmdb", "c", 500), sample("leveldb", "c", 400),
    ])
  }

  @Test func ratiosArePairwise() throws {
    #expect(results.ratios(row, "lmdb") == [2, 3, 0.4])
    #expect(Results.quantile(0.5, of: results.ratios(row, "lmdb")) == 2)
    let best = try #require(results.againstBest(row))
    #expect(best.ratio == 1.25 && best.peer == "leveldb")
    let worst = try #require(
      results.againstBest(row, isMoreBetter: false) { $0.measurement.p99 })
    #expect(worst.peer == "leveldb" && abs(worst.ratio - 0.8) < 1e-9)
  }

  @Test func verdicts() {
    func goal(_ floor: Double?, _ goal: Double?, isMoreBetter: Bool = true) -> Goal.Verdict {
      Goal(
        workload: .readRandom, what: "", unit: "", isMoreBetter: isMoreBetter, floor: floor,
        goal: goal
      ) { _ in Goal.Finding(value: 1.5) }.verdict(Results([]))
    }
    #expect(goal(1, 2) == .floorMet)
    #expect(goal(1, 1.5) == .goalMet)
    #expect(goal(1.6, 2) == .missed)
    #expect(goal(nil, 2) == .missed)
    #expect(goal(1.5, nil) == .floorMet)
    #expect(goal(2, 1, isMoreBetter: false) == .floorMet)
    #expect(goal(1, 0.5, isMoreBetter: false) == .missed)
    #expect(Goals.all.allSatisfy { $0.verdict(Results([])) == .open })
  }

  @Test func jsonLinesHaveTheirFields() throws {
    let options = try Options([])
    let lines = JSONReport(options: options, results: results).lines()
    #expect(lines.count == 3)
    for line in lines {
      let object = try #require(
        try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
      for name in [
        "workload", "engine", "threads", "opsPerSecond", "p50", "p99", "p999", "lugeOverThis",
        "allocatedBytes", "deviceBytes", "residentBytes",
      ] { #expect(object[name] != nil, "\(name) is missing") }
    }
  }

  @Test func everyWorkloadHasASection() throws {
    for workload in Workload.allCases {
      let options = try Options(["--workloads", workload.rawValue])
      #expect(!Plan.sections(options).isEmpty, "\(workload) is run by no section")
    }
  }

  @Test(arguments: [["--quick"], ["--peers", "best"]])
  func atMostTwoPeersOfEachWhereTheBestAreAskedFor(_ arguments: [String]) throws {
    let options = try Options(arguments)
    #expect(options.pairs == (options.isQuick ? 3 : 7))
    for workload in Workload.allCases {
      #expect(options.peers(of: workload).count <= 2)
      let known = Engines.peers.map { $0.name }
      #expect(options.peers(of: workload).allSatisfy { known.contains($0) })
    }
    #expect(options.key != (try Options([])).key)
  }

  @Test func journalsResume() throws {
    let directory = FileManager.default.temporaryDirectory.path + "/journal-\(UUID().uuidString)"
    try FileManager.default.createDirectory(
      atPath: directory, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: directory) }
    var journal = try Journal(directory: directory, key: "one", isFresh: false)
    let first = journal.begin()
    try journal.note(sample("luge", "a", 100, attempt: first))
    try journal.finish("a", first)
    let second = journal.begin()
    try journal.note(sample("luge", "b", 100, attempt: second))

    // What "b" left unfinished does not count, now or when it is run again.
    journal = try Journal(directory: directory, key: "one", isFresh: false)
    #expect(journal.isDone("a") && !journal.isDone("b"))
    #expect(journal.samples.count == 1)
    let third = journal.begin()
    try journal.note(sample("luge", "b", 200, attempt: third))
    try journal.finish("b", third)
    #expect(journal.samples.map(\.measurement.operations) == [100, 200])
    journal = try Journal(directory: directory, key: "one", isFresh: false)
    #expect(journal.samples.map(\.measurement.operations) == [100, 200])

    // Other settings are another run.
    #expect(try Journal(directory: directory, key: "two", isFresh: false).samples.isEmpty)
    #expect(try Journal(directory: directory, key: "one", isFresh: true).samples.isEmpty)
  }

  @Test func quantiles() {
    #expect(Results.quantile(0.5, of: [3, 1, 2]) == 2)
    #expect(Results.quantile(0.25, of: [1, 2, 3]) == 1.5)
    #expect(Results.quantile(0.5, of: []) == nil)
  }
}
