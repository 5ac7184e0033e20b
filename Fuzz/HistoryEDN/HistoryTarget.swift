import SimulationFormats

@testable import HistoryKit

/// The checker's parser, and what it makes of what it has read: histories as Jepsen's EDN, as our lines of JSON, as lines of
/// Jepsen's log.
///
/// What must hold: an error names a line that there is; pieces of any size come to the same history as the whole; the
/// verdict of a history that is read is the same for both, and that of brute force where the history is small.
final class HistoryTarget: FuzzTarget {
  static let name = "history-edn"
  static let summary = "histories as EDN, JSON and log lines: the parser and the verdict"
  static let longestInput = 4096

  init() {}

  func run(_ input: [UInt8]) throws {
    guard let first = input.first else { return }
    let model = HistoryModel.allCases[Int(first) % HistoryModel.allCases.count]
    let piece = [1, 7, 64, 1 << 20][Int(first >> 4) & 3]
    let text = Array(input.dropFirst())
    let whole = read(text, model, piece: 1 << 20)
    let inPieces = read(text, model, piece: piece)
    switch (whole, inPieces) {
    case (.failure(let one), .failure(let other)):
      try require(one == other, "pieces have another error: \(one), \(other)")
      let lines = 1 + text.count { $0 == 0x0A }
      try require(one.line >= 1 && one.line <= lines, "an error in line \(one.line) of \(lines)")
    case (.success(let one), .success(let other)):
      try compare(one, other)
      try judge(one)
    default: throw Finding("pieces of \(piece) bytes come to something else than the whole")
    }
  }

  private func read(
    _ text: [UInt8], _ model: HistoryModel, piece: Int
  ) -> Result<HistoryFile, HistoryFileError> {
    var place = 0
    do throws(HistoryFileError) {
      return .success(
        try HistoryFile(model: model) {
          let end = min(text.count, place + piece)
          defer { place = end }
          return Array(text[place..<end])
        })
    } catch { return .failure(error) }
  }

  private func compare(_ one: HistoryFile, _ other: HistoryFile) throws(Finding) {
    try require(
      one.calls.count == other.calls.count && one.keys == other.keys && one.values == other.values
        && one.events == other.events && one.asked == other.asked && one.unknown == other.unknown,
      "pieces come to another history")
    for index in one.calls.indices {
      try require(
        one.lines[index] == other.lines[index] && one.processes[index] == other.processes[index],
        "pieces come to other lines")
    }
  }

  /// Beyond that a verdict takes long.
  private static let mostCalls = 64

  private func judge(_ history: HistoryFile) throws(Finding) {
    if history.calls.count > Self.mostCalls { return }
    for call in history.calls {
      try require(
        call.invoked < history.events && (call.returned == .max || call.returned < history.events)
          && call.invoked < call.returned, "a call at a time that there is not")
    }
    var check = HistoryCheck(
      history.calls, keys: history.keys, values: history.values, events: history.events,
      mostPossibilities: 1 << 10)
    let verdict = check.verdict()
    try require(
      verdict.kind != .invalid || verdict.event != nil, "an invalid history without an event")
    if let call = verdict.call {
      try require(history.calls.indices.contains(call), "a call that there is not")
      _ = history.described(call)
    }
    try compareWithBruteForce(history, verdict)
  }

  /// Beyond these brute force takes long.
  private static let mostBruteCalls = 9
  private static let mostBruteKeys = 16

  private func compareWithBruteForce(
    _ history: HistoryFile, _ verdict: HistoryVerdict
  ) throws(Finding) {
    if verdict.kind == .unknown || history.calls.count > Self.mostBruteCalls
      || history.keys > Self.mostBruteKeys
    {
      return
    }
    var search = BruteForce(KeyedModel(), history.calls)
    let holds = search.search(from: [Int32](repeating: 0, count: history.keys))
    try require(
      holds == (verdict.kind == .valid),
      "brute force finds \(holds ? "an" : "no") order, and the verdict is \(verdict.kind.rawValue)")
  }

  func seeds() -> [[UInt8]] {
    let json = """
      {"process":0,"type":"invoke","f":"write","value":1}
      {"process":1,"type":"invoke","f":"read","value":null}
      {"process":0,"type":"ok","f":"write","value":1}
      {"process":1,"type":"ok","f":"read","value":1}
      {"process":0,"type":"invoke","f":"cas","value":[1,2]}
      {"process":0,"type":"ok","f":"cas","value":[1,2],"exchanged":false,"found":7}

      """
    let map = """
      {"process":0,"type":"invoke","f":"batch","value":[["a",1],["b",2]]}
      {"process":2,"type":"invoke","f":"scan","from":"a","to":"c","reverse":true,"limit":3}
      {"process":0,"type":"ok","f":"batch"}
      {"process":2,"type":"ok","f":"scan","value":[["b",2],["a",1]]}
      {"process":2,"type":"invoke","f":"remove","key":"a"}
      {"process":2,"type":"info","f":"remove"}
      {"process":1,"type":"invoke","f":"get","key":"a"}
      {"process":1,"type":"ok","f":"get","value":null}

      """
    let edn = """
      {:type :invoke, :f :write, :value [3 4], :process 0, :time 12}
      {:type :ok, :f :write, :value [3 4], :process 0, :time 13} ; done
      #jepsen.history.Op{:type :invoke, :f :read, :value [3 nil], :process 1}
      {:type :ok, :f :read, :value [3 4], :process 1, :error ["x" {:a 1}]}

      """
    let log = """
      INFO  jepsen.util - 0\t:invoke\t:cas\t[0 1]
      INFO  jepsen.util - 0\t:fail\t:cas\t[0 1]
      INFO  jepsen.util - :nemesis\t:info\t:start\tnil
      INFO  jepsen.util - 1\t:invoke\t:read\tnil
      INFO  jepsen.util - 1\t:ok\t:read\tnil

      """
    return [
      [1] + Array(json.utf8), [0x12] + Array(map.utf8), [1] + Array(edn.utf8),
      [0x21] + Array(log.utf8),
    ]
  }
}
