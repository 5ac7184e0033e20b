/// The command line of `compare`.
struct Options {
  static let usage = """
    usage: compare [--quick] [--peers LIST] [--workloads LIST] [--pairs N] [--entries N]
                   [--seed N] [--directory DIR] [--format text|json]
    """

  var peers = Peers.all.map(\.name)
  var workloads = Workload.allCases
  var pairs = 7
  var entries = 1_000_000
  var seed: UInt64 = 1
  var directory = "."
  var isJSON = false

  init(_ arguments: [String]) throws {
    var rest = arguments[...]
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
      case "--quick": pairs = 3
      case "--peers": peers = try value(of: option).split(separator: ",").map(String.init)
      case "--workloads":
        workloads = try value(of: option).split(separator: ",").map { name in
          guard let workload = Workload(rawValue: String(name)) else {
            throw BenchmarkError("there is no workload \(name)")
          }
          return workload
        }
      case "--pairs": pairs = try number(of: option, atLeast: 1)
      case "--entries": entries = try number(of: option, atLeast: 1000)
      case "--seed": seed = UInt64(try number(of: option, atLeast: 0))
      case "--directory": directory = try value(of: option)
      case "--format":
        switch try value(of: option) {
        case "text": isJSON = false
        case "json": isJSON = true
        case let other: throw BenchmarkError("there is no format \(other)")
        }
      default: throw BenchmarkError("there is no option \(option)")
      }
    }
    for peer in peers where !Peers.all.contains(where: { $0.name == peer }) {
      throw BenchmarkError("there is no peer \(peer)")
    }
  }
}
