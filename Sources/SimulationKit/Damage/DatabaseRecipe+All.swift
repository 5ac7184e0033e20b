internal import EngineKit
internal import HistoryKit

extension DatabaseRecipe {
  /// All of them; a new one gets a line here.
  public static let all: [DatabaseRecipe] = [small, closed, large]

  public static func named(_ name: String) -> DatabaseRecipe? {
    all.first { $0.name == name }
  }

  /// Every kind of record, in tiny segments; killed after a flush.
  static let small = DatabaseRecipe(
    "small", "every kind of record and file in tiny segments, after a kill", holdsEverything: true
  ) { (kitchen: inout Kitchen) throws(EngineError) in
    try cook(&kitchen)
    try kitchen.flush()
    try kitchen.kill()
  }

  /// The same after a close: nothing is to be replayed, and nothing may be lost.
  static let closed = DatabaseRecipe(
    "closed", "the same after a close: nothing may be taken for a torn tail",
    flipsOneBit: true
  ) { (kitchen: inout Kitchen) throws(EngineError) in
    try cook(&kitchen)
    try kitchen.close()
  }

  /// About a mebibyte, after a kill.
  static let large = DatabaseRecipe(
    "large", "about a mebibyte in ordinary pages and large values, after a kill",
    flipsOneBit: true
  ) { (kitchen: inout Kitchen) throws(EngineError) in
    var settings = EngineSettings(
      automaticBackgroundWork: false, segmentSize: 128 << 10, pageSegmentSize: 512 << 10,
      pageSize: 16 << 10, checkpointInterval: 64 << 20, memoryBudget: 32 << 20)
    settings.flushInterval = nil
    try kitchen.open(settings)
    // Long values, so that there are few keys to a mebibyte; and some that lie apart.
    // Checkpoints between, so that little of it is redo that nobody needs.
    for first in stride(from: 0, to: 160, by: 40) {
      try fill(&kitchen, first..<first + 40, bytes: 2000)
      try kitchen.checkpoint()
    }
    for number in 0..<36 {
      try kitchen.set(text(number, 9000 + number * 7), for: key("v", number))
    }
    try kitchen.takeIdentifiers(3)
    try kitchen.checkpoint()
    for number in stride(from: 0, to: 160, by: 7) {
      try kitchen.set(text(number + 5000, 1500), for: key("k", number))
    }
    try kitchen.beginLastGroup()
    try kitchen.set(text(1, 200), for: key("k", 0))
    try kitchen.set(nil, for: key("k", 1))
    try kitchen.flush()
    try kitchen.kill()
  }

  /// Three lives. The settings are those with which Luge uses every way of compression, keeps values apart, and
  /// whole commits.
  private static func cook(_ kitchen: inout Kitchen) throws(EngineError) {
    try kitchen.open(settings(pageSize: 512))
    try fill(&kitchen, 0..<24, bytes: 20)
    for number in 0..<4 { try kitchen.set(text(number, 90 + number), for: key("v", number)) }
    try kitchen.set(text(1, 10), for: key("d", 1), in: "dropped")
    try kitchen.takeIdentifiers(2)
    try kitchen.checkpoint()
    _ = try kitchen.drop("dropped")
    // Few of the entries of a page: a fragment.
    try kitchen.set(text(77, 12), for: key("k", 3))
    try kitchen.set(nil, for: key("k", 4))
    try kitchen.checkpoint()
    try kitchen.set(text(78, 12), for: key("k", 5))
    try kitchen.flush()
    try kitchen.kill()

    try kitchen.open(settings(pageSize: 256))
    try fill(&kitchen, 0..<8, bytes: 60, in: "zstandard")
    try kitchen.takeIdentifiers(1)
    try kitchen.flush()
    try kitchen.kill()

    try kitchen.open(settings(pageSize: 2048))
    try fill(&kitchen, 0..<8, bytes: 60, in: "lz4")
    try kitchen.checkpoint()
    try kitchen.set(text(83, 12), for: key("k", 10))
    try kitchen.checkpoint()
    try kitchen.set(text(5, 1100), for: key("v", 9))
    try kitchen.apply((0..<14).map { BatchWrite(key("b", $0), text($0, 80), in: .default) })
    try kitchen.takeIdentifiers(20)
    try kitchen.flush()
    try kitchen.kill()

    try kitchen.open(settings(pageSize: 512))
    try kitchen.takeIdentifiers(17)
    try kitchen.set(text(79, 14), for: key("k", 6))
    try kitchen.beginLastGroup()
    try kitchen.set(text(80, 14), for: key("k", 7))
    try kitchen.set(nil, for: key("k", 8))
    try kitchen.apply([
      BatchWrite(key("k", 9), text(81, 14), in: .default),
      BatchWrite(key("z", 1), text(82, 14), in: "zstandard"),
    ])
  }

  private static func settings(pageSize: Int) -> EngineSettings {
    EngineSettings(
      automaticBackgroundWork: false, segmentSize: 16 << 10, pageSegmentSize: 16 << 10,
      pageSize: pageSize, flushInterval: nil, checkpointInterval: 64 << 20,
      memoryBudget: 4 << 20)
  }

  private static func fill(
    _ kitchen: inout Kitchen, _ numbers: Range<Int>, bytes: Int, in tree: TreeName = .default
  ) throws(EngineError) {
    for number in numbers {
      try kitchen.set(text(number, bytes), for: key("k", number), in: tree)
    }
  }

  private static func key(_ prefix: String, _ number: Int) -> Bytes {
    let digits = String(number)
    return Array((prefix + String(repeating: "0", count: max(0, 4 - digits.count)) + digits).utf8)
  }

  /// Words that compress somewhat, no two of them alike.
  private static func text(_ number: Int, _ count: Int) -> Bytes {
    var bytes: Bytes = []
    bytes.reserveCapacity(count)
    let words = Array("value \(number) of a database that is damaged; ".utf8)
    while bytes.count < count { bytes.append(words[bytes.count % words.count]) }
    return bytes
  }
}
