public import EngineKit
internal import HistoryKit

/// A real data set: a tape-chosen run of neighbouring words of a dictionary is loaded, prefix-scanned,
/// half removed and compared. The words come from whoever makes the workload; the kits read no files.
public struct Words: Workload {
  /// In dictionary order, each once. Asked when the first tape is prepared.
  let words: @Sendable () -> [Bytes]
  /// Words of one tape.
  let run: Int

  public init(_ words: @escaping @Sendable () -> [Bytes], run: Int = 400) {
    self.words = words
    self.run = run
  }

  public var obstacle: String? {
    words().isEmpty ? "the word list is missing; install the package wamerican" : nil
  }

  public var summary: String { "\(run) neighbouring words: load, prefix scans, remove half" }
  public var largestWrite: Int { 1024 }
  public var clients: ClosedRange<Int> { 1...2 }

  public func prepare(_ lane: ChoiceLane, for world: WorkloadWorld) -> any WorkloadRun {
    let words = words()
    let count = min(run, words.count, max(1, world.operations * 2 / 5))
    let places = max(1, words.count - count + 1)
    let first = Int(lane.draw("firstWord", below: UInt64(places)))
    return WordsRun(
      Array(words[min(first, words.count)..<min(first + count, words.count)]),
      flushOneIn: 16 << Int(lane.draw("flushRarity", below: 4)))
  }
}

extension Workload where Self == Words {
  public static func words(_ words: @escaping @Sendable () -> [Bytes]) -> Words { Words(words) }
}

final class WordsRun: WorkloadRun {
  private let words: [Bytes]
  private let flushOneIn: Int
  private var loaded = 0
  private var scanned = 0
  private var removed = 0

  init(_ words: [Bytes], flushOneIn: Int) {
    self.words = words
    self.flushOneIn = flushOneIn
  }

  func step(_ client: Client) -> Bool {
    if words.isEmpty { return false }
    if loaded < words.count { return load(client) }
    if scanned < words.count / 2 { return scan(client) }
    if removed < words.count / 2 { return remove(client) }
    return compare(client)
  }

  /// The value is the word backwards, so that it depends on the key and on nothing else.
  private func load(_ client: Client) -> Bool {
    guard let dice = client.nextKind(flushOneIn, in: client.lane("load")) else {
      loaded = words.count
      return true
    }
    if dice == 1 { _ = client.perform(.flush) }
    // A stride that shares no factor with the count: every word once, neighbours far apart.
    let word = words[(loaded * stride) % words.count]
    loaded += 1
    _ = client.perform(.insert(Bytes(word.reversed()), for: word, in: .default))
    return true
  }

  private var stride: Int {
    var stride = words.count * 5 / 8 + 1
    while !isCoprime(stride, words.count) { stride += 1 }
    return stride
  }

  private func isCoprime(_ one: Int, _ other: Int) -> Bool {
    var (large, small) = (one, other)
    while small != 0 { (large, small) = (small, large % small) }
    return large == 1
  }

  private func scan(_ client: Client) -> Bool {
    let lane = client.lane("scan")
    guard let dice = client.nextKind(4, in: lane) else {
      scanned = words.count
      return true
    }
    scanned += 1
    let word = words[Int(lane.draw("word", below: UInt64(words.count)))]
    let prefix = Bytes(word.prefix(1 + Int(lane.draw("prefix", below: 6))))
    _ = client.perform(
      .scan(.prefix(prefix), dice % 2 == 0 ? .forward : .backward, limit: .max, in: .default))
    return true
  }

  private func remove(_ client: Client) -> Bool {
    let lane = client.lane("remove")
    guard let dice = client.nextKind(flushOneIn, in: lane) else {
      removed = words.count
      return true
    }
    removed += 1
    if dice == 1 { _ = client.perform(.flush) }
    let word = words[Int(lane.draw("word", below: UInt64(words.count)))]
    _ = client.perform(.remove(word, in: .default))
    return true
  }

  private func compare(_ client: Client) -> Bool {
    let lane = client.lane
    guard let dice = client.nextKind(8, in: lane) else { return false }
    switch dice {
    case 0: _ = client.perform(.scan(.all, .forward, limit: .max, in: .default))
    case 1: _ = client.perform(.scan(.all, .backward, limit: .max, in: .default))
    case 2: _ = client.perform(.count(in: .default))
    default:
      let word = words[Int(lane.draw("word", below: UInt64(words.count)))]
      _ = client.perform(.get(word, in: .default))
    }
    return true
  }

  func recovered(_ state: RecoveredState) -> [String] {
    let entries = state.entries(in: .default)
    var index = 0
    while index < entries.count {
      if !entries[index].value.elementsEqual(entries[index].key.reversed()) {
        return ["the word at place \(index) has a value that is not its own"]
      }
      index += 1
    }
    return []
  }
}
