internal import EngineKit
internal import HistoryKit

/// Reads the bytes of `CallLogFormat` within bounds: what cannot be is an error, never a trap.
///
/// Invariant: `position <= end <= bytes.count`.
struct CallLogDecoder {
  private let bytes: [UInt8]
  private let end: Int
  var position: Int

  init(_ bytes: [UInt8], at position: Int, end: Int) {
    self.bytes = bytes
    self.position = position
    self.end = end
  }

  mutating func call() throws(CallLogError) -> LoggedCall {
    typealias Kind = CallLogFormat.Kind
    let kind = try byte()
    switch kind {
    case Kind.open:
      return .open(handle: try number32(), path: try text(), creates: try flag())
    case Kind.close: return .close(handle: try number32())
    case Kind.createDirectory: return .createDirectory(path: try text())
    case Kind.write:
      return .write(handle: try number32(), offset: try number(), bytes: try string())
    case Kind.truncate: return .truncate(handle: try number32(), length: try number())
    case Kind.allocate:
      return .allocate(handle: try number32(), offset: try number(), length: try number())
    case Kind.punchHole:
      return .punchHole(handle: try number32(), offset: try number(), length: try number())
    case Kind.rename: return .rename(path: try text(), to: try text())
    case Kind.remove: return .remove(path: try text())
    case Kind.removeDirectory: return .removeDirectory(path: try text())
    case Kind.syncBegan:
      return .syncBegan(sync: try number32(), handle: try number32(), isFull: try flag())
    case Kind.directorySyncBegan:
      return .directorySyncBegan(sync: try number32(), path: try text())
    case Kind.syncEnded: return .syncEnded(sync: try number32(), succeeded: try flag())
    case Kind.settled: return .settled
    default: return .mark(try mark(kind))
    }
  }

  private mutating func mark(_ kind: UInt8) throws(CallLogError) -> CallMark {
    typealias Kind = CallLogFormat.Kind
    switch kind {
    case Kind.subject: return try subject()
    case Kind.began:
      return .began(
        call: try number(), client: Int(try number32()), operation: try operation())
    case Kind.ended: return .ended(call: try number(), outcome: try outcome())
    case Kind.opened: return .opened
    case Kind.recovered:
      var trees: [RecoveredState.Tree] = []
      var left = try number32()
      while left > 0 {
        let name = try text()
        let found = try entries()
        trees.append(.init(name, forward: found, backward: Array(found.reversed())))
        left -= 1
      }
      return .recovered(RecoveredState(trees: trees))
    case Kind.closed: return .closed
    case Kind.crashed: return .crashed
    default: throw CallLogError("there is no kind \(kind) of record")
    }
  }

  private mutating func subject() throws(CallLogError) -> CallMark {
    let engine = try text()
    let directory = try text()
    var settings = EngineSettings()
    settings.automaticBackgroundWork = try flag()
    settings.segmentSize = try size()
    settings.pageSegmentSize = try flag() ? try size() : nil
    settings.pageSize = try size()
    settings.flushInterval = try flag() ? try number() : nil
    settings.checkpointInterval = try size()
    settings.memoryBudget = try size()
    let way = Int(try byte())
    guard way <= DataCompression.allCases.count else {
      throw CallLogError("there is no compression \(way)")
    }
    settings.compression = way == 0 ? nil : DataCompression.allCases[way - 1]
    return .subject(engine: engine, directory: directory, settings: settings)
  }

  private mutating func operation() throws(CallLogError) -> Operation {
    let kind = try byte()
    switch kind {
    case 1: return .get(try string(), in: try text())
    case 2: return .insert(try string(), for: try string(), in: try text())
    case 3: return .remove(try string(), in: try text())
    case 4:
      return .compareExchange(
        try string(), expected: try optional(), desired: try optional(), in: try text())
    case 5, 6:
      let range = KeyRange(lower: try optional(), upper: try optional())
      return .scan(
        range, kind == 5 ? .forward : .backward, limit: try size(), in: try text())
    case 7:
      var writes: [BatchWrite] = []
      var left = try number32()
      while left > 0 {
        let tree = try text()
        writes.append(BatchWrite(try string(), try optional(), in: tree))
        left -= 1
      }
      return .batch(writes)
    case 8: return .flush
    case 9: return .checkpoint
    case 10: return .backgroundWork
    case 11: return .nextID
    case 12: return .count(in: try text())
    case 13: return .dropTree(try text())
    case 14: return .evict
    case 15: return .clean
    default: throw CallLogError("there is no kind \(kind) of operation")
    }
  }

  private mutating func outcome() throws(CallLogError) -> Outcome {
    let kind = try byte()
    switch kind {
    case 1: return .value(try optional())
    case 2: return .exchange(exchanged: try flag(), original: try optional())
    case 3: return .entries(try entries())
    case 4: return .identifier(try number())
    case 5: return .number(try size())
    case 6: return .flag(try flag())
    case 7: return .done
    case 8:
      let name = try text()
      guard let code = EngineError.Code(rawValue: name) else {
        throw CallLogError("there is no error code \"\(name)\"")
      }
      return .failure(code, message: try text(), refused: try flag())
    default: throw CallLogError("there is no kind \(kind) of outcome")
    }
  }

  // MARK: Parts

  mutating func byte() throws(CallLogError) -> UInt8 {
    guard position < end else { throw CallLogError("a record ends too early, at \(position)") }
    position += 1
    return bytes[position - 1]
  }

  mutating func flag() throws(CallLogError) -> Bool {
    let value = try byte()
    guard value < 2 else { throw CallLogError("\(value) is neither yes nor no") }
    return value == 1
  }

  mutating func number32() throws(CallLogError) -> UInt32 {
    var value: UInt32 = 0
    var shift: UInt32 = 0
    while shift < 32 {
      value |= UInt32(try byte()) << shift
      shift += 8
    }
    return value
  }

  mutating func number() throws(CallLogError) -> UInt64 {
    let low = try number32()
    return UInt64(low) | UInt64(try number32()) << 32
  }

  /// A number that is an `Int`.
  mutating func size() throws(CallLogError) -> Int {
    Int(truncatingIfNeeded: Int64(bitPattern: try number()))
  }

  mutating func string() throws(CallLogError) -> [UInt8] {
    let count = Int(try number32())
    guard count <= end - position else {
      throw CallLogError("\(count) bytes do not fit into the record at \(position)")
    }
    position += count
    return Array(bytes[(position - count)..<position])
  }

  mutating func optional() throws(CallLogError) -> [UInt8]? { try flag() ? try string() : nil }

  mutating func text() throws(CallLogError) -> String {
    String(decoding: try string(), as: UTF8.self)
  }

  private mutating func entries() throws(CallLogError) -> [Entry] {
    var list: [Entry] = []
    var left = try number32()
    while left > 0 {
      list.append(Entry(try string(), try string()))
      left -= 1
    }
    return list
  }
}
