/// A row of the goals that the engine is built to: a floor, a goal, and how the results show them.
struct Goal {
  /// What was found, and beside what.
  struct Finding {
    var value: Double
    var beside = ""
  }

  let workload: Workload
  let what: String
  let unit: String
  var isMoreBetter = true
  let floor: Double?
  let goal: Double?
  /// Nil where nothing was measured.
  let find: (Results) -> Finding?

  enum Verdict: String {
    case goalMet = "goal met"
    case floorMet = "floor met"
    case missed = "MISSED"
    case open = "not measured"
  }

  func verdict(_ results: Results) -> Verdict {
    guard let value = find(results)?.value else { return .open }
    func holds(_ bound: Double) -> Bool { isMoreBetter ? value >= bound : value <= bound }
    if let goal, holds(goal) { return .goalMet }
    guard let floor else { return goal == nil ? .floorMet : .missed }
    return holds(floor) ? .floorMet : .missed
  }
}

/// The speed, space, memory and opening goals of the project.
enum Goals {
  static var all: [Goal] { speed + latency + absolute + space + memory + opening }

  /// Rows of a workload with a number of threads; of several sizes, all.
  private static func rows(_ results: Results, _ workload: Workload, _ threads: Int? = nil) -> [Row]
  {
    results.rows.filter { $0.workload == workload && (threads == nil || $0.threads == threads) }
  }

  private static func row(
    _ results: Results, _ workload: Workload, _ threads: Int = 1, _ variant: String = ""
  ) -> Row? {
    results.rows.first {
      $0.workload == workload && $0.threads == threads && $0.variant == variant
    }
  }

  private static func ratio(
    _ workload: Workload, _ threads: Int = 1, floor: Double, goal: Double?
  ) -> Goal {
    Goal(
      workload: workload, what: "\(workload.rawValue) x\(threads), ops/s over the best peer's",
      unit: "x", floor: floor, goal: goal
    ) { results in
      row(results, workload, threads).flatMap { results.againstBest($0) }.map {
        Goal.Finding(value: $0.ratio, beside: $0.peer)
      }
    }
  }

  private static var speed: [Goal] {
    [
      ratio(.loadSequential, floor: 1, goal: 3),
      ratio(.loadRandom, floor: 2, goal: 5),
      ratio(.readRandom, floor: 1.3, goal: 2.5),
      ratio(.readRandom, 2, floor: 1.3, goal: 2.5),
      ratio(.readZipfian, floor: 1.2, goal: 2),
      ratio(.readZipfian, 2, floor: 1.2, goal: 2),
      ratio(.scan, floor: 1.3, goal: 4),
      ratio(.ranges, floor: 1.1, goal: 2.5),
      ratio(.mixed95, floor: 1.7, goal: 3.5),
      ratio(.mixed95, 2, floor: 1.7, goal: 3.5),
      ratio(.mixed50, floor: 2.5, goal: 6),
      ratio(.mixed50, 2, floor: 4, goal: 6),
      ratio(.batches, floor: 1.5, goal: 4),
      ratio(.overwrite, floor: 1.5, goal: 3),
      ratio(.delete, floor: 1.5, goal: 3),
      ratio(.commitSync, floor: 0.9, goal: nil),
      Goal(
        workload: .commitSync,
        what: "commit_sync x1, commits/s over a bare 4 KiB write + fdatasync's",
        unit: "x", floor: nil, goal: 0.95
      ) { results in
        row(results, .commitSync, 1).flatMap { row in
          let ratios = results.ratios(row, Engines.bare)
          return Results.quantile(0.5, of: ratios).map {
            Goal.Finding(value: $0, beside: "bare disk")
          }
        }
      },
      ratio(.commitSync, 8, floor: 1, goal: 3),
    ]
  }

  private static func percentile(
    _ name: String, _ value: @escaping (Sample) -> Double?
  ) -> Goal {
    Goal(
      workload: .latency, what: "latency_50_50, \(name) over the best peer's", unit: "x",
      isMoreBetter: false, floor: 1, goal: 0.5
    ) { results in
      row(results, .latency).flatMap {
        results.againstBest($0, isMoreBetter: false, value)
      }.map { Goal.Finding(value: $0.ratio, beside: $0.peer) }
    }
  }

  private static var latency: [Goal] {
    [
      percentile("p99") { $0.measurement.p99 }, percentile("p99.9") { $0.measurement.p999 },
    ]
  }

  private static var absolute: [Goal] {
    [
      Goal(workload: .nextID, what: "next_id x2", unit: "M/s", floor: 75, goal: 120) { results in
        row(results, .nextID, 2).flatMap { results.rate($0, Engines.luge) }.map {
          Goal.Finding(value: $0 / 1e6)
        }
      },
      Goal(
        workload: .nextID, what: "next_id x2, ids/s over a bare shared counter's", unit: "x",
        floor: nil, goal: 0.85
      ) { results in
        row(results, .nextID, 2).flatMap {
          Results.quantile(0.5, of: results.ratios($0, Engines.bare))
        }.map { Goal.Finding(value: $0, beside: "bare counter") }
      },
      Goal(
        workload: .small95, what: "small_95_5, the slowest set and number of threads, per thread",
        unit: "M/s", floor: 2, goal: 6
      ) { results in
        rows(results, .small95).compactMap { row in
          results.rate(row, Engines.luge).map {
            Goal.Finding(
              value: $0 / 1e6 / Double(row.threads), beside: "\(row.variant), x\(row.threads)")
          }
        }.min { $0.value < $1.value }
      },
      Goal(
        workload: .largerThanMemory,
        what: "10x memory, reads over bare random reads of the mean page size",
        unit: "x",
        floor: nil, goal: 0.8
      ) { results in
        row(results, .largerThanMemory, 1, "10x reads").flatMap {
          results.figure($0, Engines.luge, "ofBareReads")
        }.map { Goal.Finding(value: $0, beside: "bare disk") }
      },
      Goal(
        workload: .largerThanMemory,
        what: "10x memory, updates over the best of RocksDB and WiredTiger",
        unit: "x", floor: nil, goal: 1
      ) { results in
        row(results, .largerThanMemory, 1, "10x updates").flatMap {
          results.againstBest($0, among: ["rocksdb", "wiredtiger"])
        }.map { Goal.Finding(value: $0.ratio, beside: $0.peer) }
      },
    ]
  }

  private static func figure(
    _ workload: Workload, _ what: String, unit: String, isMoreBetter: Bool = false, floor: Double?,
    goal: Double?, _ name: String, variant: String = ""
  ) -> Goal {
    Goal(
      workload: workload, what: what, unit: unit, isMoreBetter: isMoreBetter, floor: floor,
      goal: goal
    ) { results in
      row(results, workload, 1, variant).flatMap { results.figure($0, Engines.luge, name) }.map {
        Goal.Finding(value: $0)
      }
    }
  }

  private static var space: [Goal] {
    [
      figure(
        .spaceOverwrite, "allocated over live bytes after 10 uniform overwrites", unit: "x",
        floor: 1.5,
        goal: 1.2, "amplification"),
      figure(
        .writeVolume, "device over user bytes, random load and checkpoint", unit: "x", floor: 3,
        goal: 2.2, "writeAmplification"),
      Goal(
        workload: .largerThanMemory,
        what:
          "device over user bytes, updates at 10x memory, over the better of RocksDB's and WiredTiger's",
        unit: "x", isMoreBetter: false, floor: 1, goal: nil
      ) { results in
        row(results, .largerThanMemory, 1, "10x updates").flatMap {
          results.againstBest($0, isMoreBetter: false, among: ["rocksdb", "wiredtiger"]) {
            $0.figures["writeAmplification"]
          }
        }.map { Goal.Finding(value: $0.ratio, beside: $0.peer) }
      },
      figure(
        .largerThanMemory, "device over user bytes, updates at 10x memory", unit: "x", floor: nil,
        goal: 6,
        "writeAmplification", variant: "10x updates"),
      figure(
        .sequentialKeys, "share of sequential key bytes not stored", unit: "", isMoreBetter: true,
        floor: 0.95, goal: 0.99, "keyBytesNotStored"),
      figure(
        .compression, "word list, zstd over uncompressed bytes", unit: "x", floor: 0.6, goal: nil,
        "ofUncompressed", variant: Corpus.words.rawValue),
      figure(
        .compression, "JSON documents, zstd over uncompressed bytes", unit: "x", floor: 0.6,
        goal: nil,
        "ofUncompressed", variant: Corpus.documents.rawValue),
      compressed(.words), compressed(.documents),
    ]
  }

  private static func compressed(_ corpus: Corpus) -> Goal {
    Goal(
      workload: .compression, what: "\(corpus.rawValue), zstd, bytes over RocksDB's with zstd",
      unit: "x",
      isMoreBetter: false, floor: nil, goal: 1
    ) { results in
      row(results, .compression, 1, corpus.rawValue).flatMap {
        results.againstBest($0, isMoreBetter: false, among: ["rocksdb"]) {
          $0.figures["compressedBytes"]
        }
      }.map { Goal.Finding(value: $0.ratio, beside: $0.peer) }
    }
  }

  private static var memory: [Goal] {
    ["load", "reads", "scan", "recovery"].flatMap { phase in
      [
        figure(
          .largerThanMemory, "100x memory, resident over the budget, \(phase)", unit: "x",
          floor: 1.15,
          goal: nil, "residentOfBudget", variant: "100x " + phase)
      ]
    } + [
      figure(
        .loadRandom, "resident over live bytes, at most while loading", unit: "x", floor: 1.8,
        goal: 1.3,
        "residentOfLive"),
      figure(
        .mixed50, "resident over live bytes, at most in mixed work", unit: "x", floor: 1.8,
        goal: 1.3,
        "residentOfLive"),
      figure(
        .overwrite, "resident over live bytes, at most while overwriting", unit: "x", floor: 1.8,
        goal: 1.3, "residentOfLive"),
    ]
  }

  private static var opening: [Goal] {
    [
      figure(
        .reopenKill, "reopening after a kill at the end of an overwrite", unit: "s", floor: 0.5,
        goal: 0.05, "seconds"),
      figure(
        .idle, "processor share of an idle database", unit: "", floor: 0.01, goal: nil,
        "processorShare"),
      figure(
        .idle, "wake-ups a second of an idle database", unit: "/s", floor: nil, goal: 0,
        "wakeUpsPerSecond"),
    ]
  }
}
