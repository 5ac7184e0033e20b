/// The command line of `compare`.
struct Options: Sendable {
  static let usage = """
    usage: compare [--quick] [--peers LIST] [--workloads LIST] [--pairs N] [--entries N]
                   [--seed N] [--directory DIR] [--commit NAME] [--fresh] [--report]
                   [--format text|json|html]
    --quick: every workload whose data fits into memory, each beside its two best peers, 3 pairs.
    --peers: of lmdb, leveldb, rocksdb, wiredtiger, sqlite; or `best`, the two best of each workload.
    --report: prints what is measured so far and measures nothing.
    A run with the same commit and settings goes on where it was interrupted; --fresh begins anew.
    """

  enum Format: String, Sendable {
    case text, json, html
  }

  var isQuick = false
  /// Nil: all, or the two best of each workload.
  var peers: [String]?
  /// Whether each workload has peers of its own: with `--quick`, or `--peers best`.
  var areBestPeers = false
  var workloads = Workload.allCases
  var pairs = 7
  var entries = 1_000_000
  var seed: UInt64 = 1
  var directory = "."
  var commit = "unknown"
  var isFresh = false
  var isReportOnly = false
  var format = Format.text

  init(_ arguments: [String]) throws {
    var rest = arguments[...]
    var isNamed = false
    var arePairsNamed = false
    func value(of option: String) throws -> String {
      guard let value = rest.popFirst() else { throw BenchmarkError("\(option) needs a value") }
      return value
    }
    func number(of option: String, atLeast least: Int) throws -> Int {
      guard let number = Int(try value(of: option)), number >= least else {
        throw BenchmarkError("\(option) needs a number of at least \(least)")
      }
      return number
    }
    while let option = rest.popFirst() {
      switch option {
      case "--quick": isQuick = true
      case "--peers":
        let names = try value(of: option)
        areBestPeers = names == "best"
        peers = areBestPeers ? nil : names.split(separator: ",").map(String.init)
      case "--workloads":
        isNamed = true
        workloads = try value(of: option).split(separator: ",").map { name in
          guard let workload = Workload(rawValue: String(name)) else {
            throw BenchmarkError("there is no workload \(name)")
          }
          return workload
        }
      case "--pairs":
        arePairsNamed = true
        pairs = try number(of: option, atLeast: 1)
      case "--entries": entries = try number(of: option, atLeast: 1000)
      case "--seed": seed = UInt64(try number(of: option, atLeast: 0))
      case "--directory": directory = try value(of: option)
      case "--commit": commit = try value(of: option)
      case "--fresh": isFresh = true
      case "--report": isReportOnly = true
      case "--format":
        let name = try value(of: option)
        guard let format = Format(rawValue: name) else {
          throw BenchmarkError("there is no format \(name)")
        }
        self.format = format
      default: throw BenchmarkError("there is no option \(option)")
      }
    }
    if isQuick {
      areBestPeers = peers == nil
      if !arePairsNamed { pairs = 3 }
      if !isNamed { workloads = workloads.filter(\.isQuick) }
    }
    for peer in peers ?? [] where !Engines.peers.contains(where: { $0.name == peer }) {
      throw BenchmarkError("there is no peer \(peer)")
    }
  }

  /// The peers that a workload is run beside.
  func peers(of workload: Workload) -> [String] {
    if let peers { return peers }
    return areBestPeers ? workload.bestPeers : Engines.peers.map { $0.name }
  }

  /// What a run must share with another to be its continuation.
  var key: String {
    "commit \(commit), entries \(entries), pairs \(pairs), seed \(seed), quick \(isQuick), peers "
      + "\(peers?.joined(separator: ",") ?? (areBestPeers ? "best" : "all"))"
  }
}
