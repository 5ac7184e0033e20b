import Platform

@testable import Luge

/// What the golden database holds, and how it came about. Never change what a released version
/// wrote: a new format version gets a directory of its own.
enum GoldenContents {
  typealias Entries = [(key: [UInt8], value: [UInt8])]

  static func configuration() -> Configuration {
    var configuration = Configuration()
    configuration.backgroundWork = .manual
    configuration.redoSegmentSize = 16 << 10
    configuration.pageSegmentSize = 32 << 10
    configuration.valueSegmentSize = 32 << 10
    // The batch of each round is one.
    configuration.largeCommitSize = 1024
    configuration.pageBufferSize = 4096
    configuration.logBufferSize = 64 << 10
    configuration.maximumWriters = 4
    configuration.ordinaryCommitSize = 1024
    configuration.identifierReservation = 16
    configuration.pageSize = 2048
    configuration.leafEntries = 64
    configuration.leafAppendSlots = 8
    return configuration
  }

  /// Trees by name, and how each is compressed.
  static let trees: [(name: String, compression: Compression)] = [
    ("", .none), ("words", .zstd(level: 3)), ("json", .lz4), ("binary", .none), ("odd", .none),
  ]

  /// In the order of keys.
  static func entries(_ tree: String, after rounds: Int) -> Entries {
    var entries: Entries = []
    switch tree {
    case "":
      for number in 0..<150 where rounds < 1 || number % 30 != 3 {
        let round = number % 10 == 0 ? rounds : 0
        entries.append((text("user\(1000 + number)"), text("value \(number) of round \(round)")))
      }
    case "words":
      for first in ["an", "be", "sea"] {
        for last in ["", "con", "d", "son", "sonable", "sonal", "t", "ted"] {
          entries.append((text(first + last), [UInt8](repeating: 97, count: 40)))
        }
      }
    case "json":
      for number in 0..<60 {
        let object = "{\"id\":\(number),\"name\":\"name of \(number)\",\"round\":\(rounds)}"
        entries.append((text("{\(100 + number)}"), text(object)))
      }
    case "binary":
      for number in 0..<200 {
        let low = UInt8(number & 255)
        entries.append(([0, 0, 0, 0, 0, 0, UInt8(number >> 8), low], [low, UInt8(rounds)]))
      }
    default:
      entries.append(([], text("the empty key")))
      entries.append(([0], []))
      entries.append(([0, 0], [0]))
      entries.append(([UInt8](repeating: 0xFF, count: 700), [UInt8](repeating: 1, count: 900)))
    }
    return entries
  }

  private static func text(_ string: String) -> [UInt8] { Array(string.utf8) }

  /// Checkpoints with bases, then with fragments that hold tombstones, then commits that only the
  /// redo has. The process ends without closing.
  static func make(_ database: Database) throws {
    for round in 0..<3 {
      let doomed = try database.tree(named: "doomed")
      try doomed.updateValue([1], forKey: [1])
      var batch = WriteBatch()
      for (name, compression) in trees {
        let tree = try database.tree(named: name, compression: compression)
        let wanted = entries(name, after: round)
        var next = 0
        for entry in try tree.entries() {
          while next < wanted.count, compareKeys(wanted[next].key, entry.key) < 0 { next += 1 }
          if next == wanted.count || wanted[next].key != entry.key {
            try tree.removeValue(forKey: entry.key)
          }
        }
        for (index, entry) in wanted.enumerated() {
          if index % 7 == 0 {
            batch.updateValue(entry.value, forKey: entry.key, in: tree)
          } else {
            try tree.updateValue(entry.value, forKey: entry.key)
          }
        }
      }
      try database.apply(batch)
      _ = try database.nextID()
      try database.flush()
      if round < 2 { try database.checkpoint() }
      if round == 1 { _ = try database.dropTree(named: "doomed") }
    }
    _ = try database.dropTree(named: "doomed")
    try database.flush()
  }
}
