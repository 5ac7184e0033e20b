public import EngineKit

/// A short run of an engine whose every crash state is looked at: a configuration and a list of
/// steps.
///
///     CrashRun("large-values", "values that lie apart, and what becomes of them") { run in
///       run.put("a", bytes: 3000)
///       run.flush()
///       run.remove("a")
///       run.checkpoint()
///     }
public struct CrashRun: Sendable {
  /// As given to `simulate crash-states`.
  public var name: String
  /// One line.
  public var summary: String
  public var settings: EngineSettings
  /// Bytes of the disk; nil: enough.
  public var capacity: Int?
  public let steps: [RunStep]

  /// Segments and pages are as small as they can be, and background work is done when a step says
  /// so. What an engine makes of the sizes is its adapter's business: Luge compresses, and puts
  /// values apart, by them.
  public static let tiny = EngineSettings.tiny()

  public init(
    _ name: String, _ summary: String, settings: EngineSettings = tiny, capacity: Int? = nil,
    _ script: (inout RunScript) -> Void
  ) {
    self.name = name
    self.summary = summary
    self.settings = settings
    self.capacity = capacity
    var written = RunScript()
    script(&written)
    steps = written.steps
  }

  public var operationCount: Int {
    steps.reduce(0) { count, step in
      switch step {
      case .perform: count + 1
      case .together(let clients): count + clients.reduce(0) { $0 + $1.count }
      case .reopen, .kill, .pause: count
      }
    }
  }
}

extension EngineSettings {
  /// Settings under which a few dozen writes reach everything.
  public static func tiny(
    segment: Int = 16 << 10, page: Int = 512, memory: Int = 4 << 20,
    background flushInterval: UInt64? = nil
  ) -> EngineSettings {
    EngineSettings(
      automaticBackgroundWork: flushInterval != nil, segmentSize: segment,
      pageSegmentSize: 16 << 10, pageSize: page, flushInterval: flushInterval,
      checkpointInterval: 16 << 10, memoryBudget: memory)
  }
}

/// One step of a run.
public enum RunStep: Equatable, Sendable {
  case perform(Operation)
  /// Several clients at once, each one operation after the other.
  case together([[Operation]])
  /// Close in good order, and open again.
  case reopen
  /// The process is killed, and another one opens the database.
  case kill
  /// So many nanoseconds pass.
  case pause(UInt64)
}

/// Writes the steps of a run down. Values are numbered, so that no two are alike; their bytes
/// cannot be compressed unless they are asked to repeat themselves.
public struct RunScript {
  public private(set) var steps: [RunStep] = []
  private var written: UInt64 = 0

  public mutating func perform(_ operation: Operation) { steps.append(.perform(operation)) }

  public mutating func put(
    _ key: String, bytes: Int = 24, in tree: TreeName = .default, repeating: Bool = false
  ) {
    perform(.insert(value(bytes, repeating: repeating), for: Array(key.utf8), in: tree))
  }

  /// Replaces `expected` by `desired`, if that is what the key holds; nil is nothing.
  public mutating func exchange(
    _ key: String, _ expected: Bytes?, _ desired: Bytes?, in tree: TreeName = .default
  ) {
    perform(
      .compareExchange(Array(key.utf8), expected: expected, desired: desired, in: tree))
  }

  public mutating func remove(_ key: String, in tree: TreeName = .default) {
    perform(.remove(Array(key.utf8), in: tree))
  }

  /// All keys at once: `nil` bytes removes.
  public mutating func batch(_ writes: [(key: String, bytes: Int?)], in tree: TreeName = .default) {
    var list: [BatchWrite] = []
    for write in writes {
      list.append(
        BatchWrite(Array(write.key.utf8), write.bytes.map { value($0) }, in: tree))
    }
    perform(.batch(list))
  }

  /// One batch over several trees.
  public mutating func batch(across trees: [TreeName], key: String, bytes: Int = 24) {
    var list: [BatchWrite] = []
    for tree in trees { list.append(BatchWrite(Array(key.utf8), value(bytes), in: tree)) }
    perform(.batch(list))
  }

  /// A write that does not ask for the former value.
  public mutating func set(_ key: String, bytes: Int = 24, in tree: TreeName = .default) {
    perform(.batch([BatchWrite(Array(key.utf8), value(bytes), in: tree)]))
  }

  public mutating func get(_ key: String, in tree: TreeName = .default) {
    perform(.get(Array(key.utf8), in: tree))
  }

  public mutating func scan(_ direction: Direction = .forward, in tree: TreeName = .default) {
    perform(.scan(.all, direction, limit: .max, in: tree))
  }

  public mutating func flush() { perform(.flush) }
  public mutating func checkpoint() { perform(.checkpoint) }
  public mutating func work() { perform(.backgroundWork) }
  public mutating func evict() { perform(.evict) }
  public mutating func clean() { perform(.clean) }
  public mutating func nextID() { perform(.nextID) }
  public mutating func drop(_ tree: TreeName) { perform(.dropTree(tree)) }
  public mutating func reopen() { steps.append(.reopen) }
  public mutating func kill() { steps.append(.kill) }
  public mutating func pause(milliseconds: UInt64) {
    steps.append(.pause(milliseconds * 1_000_000))
  }

  public mutating func together(_ clients: [[Operation]]) { steps.append(.together(clients)) }

  /// A value like no other of this run.
  public mutating func value(_ bytes: Int, repeating: Bool = false) -> Bytes {
    written += 1
    var value = Array("\(written) ".utf8)
    var state = SplitMix64(seed: written)
    var word: UInt64 = 0
    while value.count < bytes {
      if repeating {
        value.append(0x2E)
      } else {
        if value.count & 7 == 0 { word = state.next() }
        value.append(UInt8(truncatingIfNeeded: word))
        word >>= 8
      }
    }
    return value
  }
}
