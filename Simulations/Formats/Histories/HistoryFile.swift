public import HistoryKit

/// What a history is held against.
public enum HistoryModel: String, CaseIterable, Sendable {
  /// Reads and writes.
  case register
  /// Reads, writes and compare-exchanges.
  case casRegister = "cas-register"
  /// An ordered map: get, insert, remove, compare-exchange, batches, scans.
  case map
}

/// A recorded history, ready to be checked. Of a call that failed (`fail`) it is known that it did not take place;
/// of one that ended in `info`, or not at all, nothing.
public struct HistoryFile: Sendable {
  public private(set) var calls: [HistoryCheck.Call] = []
  public private(set) var keys = 0
  public private(set) var values = 1
  /// Times of the calls are below it.
  public private(set) var events = 0
  /// By call: the lines of its invocation and of its answer; 0: there is none.
  public private(set) var lines: [(invoked: Int32, returned: Int32)] = []
  /// By call: who made it.
  public private(set) var processes: [Int] = []
  /// Calls in the file, those that failed and those that say nothing too, and how many have an unknown outcome.
  public private(set) var asked = 0
  public private(set) var unknown = 0

  private struct Pending {
    var record: HistoryRecord
    var time: Int
  }

  private struct Scan {
    var call: Int
    var record: HistoryRecord
    var found: [(key: Datum, value: Datum)]
  }

  // While it is read.
  private var numbers = ValueNumbers()
  private var numberOfKey: [Datum: Int32] = [:]
  private var keyData: [Datum] = []
  private var scans: [Scan] = []
  private let model: HistoryModel
  /// Values are pairs of key and value, as of Jepsen's independent keys.
  private var isKeyed = false

  /// Reads a file of any of the three kinds.
  public init(_ bytes: [UInt8], model: HistoryModel) throws(HistoryFileError) {
    var left: [UInt8]? = bytes
    try self.init(model: model) {
      defer { left = nil }
      return left ?? []
    }
  }

  /// Reads a file piece by piece: `source` gives the next one, and an empty one at the end.
  public init(
    model: HistoryModel, source: @escaping () -> [UInt8]
  ) throws(HistoryFileError) {
    self.model = model
    try read(HistoryLines(source))
    order()
    keys = max(keys, keyData.count)
    values = numbers.count
    numbers = ValueNumbers()
  }

  /// A read that is asked for names a key, or nothing: the first one says whether values are pairs. The records up to
  /// it.
  private mutating func readAhead(
    _ reader: inout HistoryLines
  ) throws(HistoryFileError) -> [HistoryRecord] {
    var records: [HistoryRecord] = []
    while let record = try reader.next() {
      records.append(record)
      if record.kind == .invoke && record.operation.isText("read") {
        isKeyed = record.value.list?.count == 2
        break
      }
    }
    return records
  }

  private mutating func read(_ lines: HistoryLines) throws(HistoryFileError) {
    var reader = lines
    var ahead = try readAhead(&reader)[...]
    var pending: [Int: Pending] = [:]
    while true {
      var next = ahead.popFirst()
      if next == nil {
        ahead = []
        next = try reader.next()
      }
      guard var record = next else { break }
      guard let process = record.process else { continue }
      if isKeyed, let pair = record.value.list, pair.count == 2 {
        record.key = pair[0]
        record.value = pair[1]
      }
      if record.kind == .invoke {
        if pending[process] != nil {
          throw HistoryFileError(
            record.line, "process \(process) asks again before it was answered")
        }
        asked += 1
        pending[process] = Pending(record: record, time: events)
        events += 1
        continue
      }
      guard let call = pending.removeValue(forKey: process) else {
        throw HistoryFileError(record.line, "process \(process) is answered and has not asked")
      }
      if record.operation != .nothing && record.operation != call.record.operation {
        throw HistoryFileError(
          record.line,
          "process \(process) asked for \(call.record.operation.text), and is answered "
            + record.operation.text)
      }
      switch record.kind {
      case .ok:
        try add(call, answer: record)
        events += 1
      case .info:
        unknown += 1
        try add(call, answer: nil)
      case .fail, .invoke: break
      }
    }
    // Dictionaries have no order of their own.
    for process in pending.keys.sorted() {
      guard let call = pending[process] else { continue }
      unknown += 1
      try add(call, answer: nil)
    }
  }

  // MARK: Calls

  private mutating func add(_ call: Pending, answer: HistoryRecord?) throws(HistoryFileError) {
    let time = (call.time, answer == nil ? Int.max : events)
    guard let action = try action(call.record, answer) else { return }
    calls.append(TimedAction(action, invoked: time.0, returned: time.1))
    lines.append((Int32(clamping: call.record.line), Int32(clamping: answer?.line ?? 0)))
    processes.append(call.record.process ?? 0)
  }

  private mutating func value(_ datum: Datum) -> Int32 {
    numbers.number(of: datum)
  }

  private mutating func key(_ datum: Datum?) -> Int32 {
    let datum = datum ?? .nothing
    if let known = numberOfKey[datum] { return known }
    let number = Int32(keyData.count)
    numberOfKey[datum] = number
    keyData.append(datum)
    return number
  }

  /// Nil: it says nothing.
  private mutating func action(
    _ asked: HistoryRecord, _ answer: HistoryRecord?
  ) throws(HistoryFileError) -> KeyedAction? {
    let operation = asked.operation
    if operation.isText("read") || operation.isText("get") {
      guard let answer else { return nil }
      return .point(
        key: key(asked.key), .read, value: value(answer.value), expected: 0)
    }
    if operation.isText("write") || operation.isText("insert") || operation.isText("put") {
      return write(asked, answer, value(asked.value))
    }
    if operation.isText("cas"), model != .register { return try exchange(asked, answer) }
    if model == .map {
      if operation.isText("remove") || operation.isText("delete") {
        return write(asked, answer, 0)
      }
      if operation.isText("batch") { return try batch(asked) }
      if operation.isText("scan") { return try scan(asked, answer) }
    }
    throw HistoryFileError(
      asked.line, "\"\(operation.text)\" is no operation of the model \(model.rawValue)")
  }

  private mutating func write(
    _ asked: HistoryRecord, _ answer: HistoryRecord?, _ new: Int32
  ) -> KeyedAction {
    let key = key(asked.key)
    guard let found = answer?.found else {
      return .point(key: key, .write, value: new, expected: 0)
    }
    return .point(key: key, .exchange, value: new, expected: value(found))
  }

  private mutating func exchange(
    _ asked: HistoryRecord, _ answer: HistoryRecord?
  ) throws(HistoryFileError) -> KeyedAction {
    guard let pair = asked.value.list, pair.count == 2 else {
      throw HistoryFileError(asked.line, "the value of a cas is a pair: [old new]")
    }
    let key = key(asked.key)
    let expected = value(pair[0])
    let desired = value(pair[1])
    if let answer, answer.exchanged == false {
      // It says what it found, or only that it was something else.
      if let found = answer.found {
        let number = value(found)
        // To find what it expected and not to exchange is what no map does: a read that nobody can explain.
        return number == expected
          ? .point(key: key, .exchange, value: expected, expected: -1)
          : .point(key: key, .read, value: number, expected: 0)
      }
      return .point(key: key, .mismatch, value: desired, expected: expected)
    }
    return .point(key: key, .exchange, value: desired, expected: expected)
  }

  private mutating func batch(_ asked: HistoryRecord) throws(HistoryFileError) -> KeyedAction? {
    var writes: [KeyedValue] = []
    for (key, value) in try pairs(asked) {
      writes.append(KeyedValue(self.key(key), self.value(value)))
    }
    return writes.isEmpty ? nil : .batch(writes)
  }

  private func pairs(
    _ record: HistoryRecord
  ) throws(HistoryFileError) -> [(key: Datum, value: Datum)] {
    var pairs: [(key: Datum, value: Datum)] = []
    for entry in record.value.list ?? [] {
      guard let pair = entry.list, pair.count == 2 else {
        throw HistoryFileError(record.line, "entries are pairs: [key value]")
      }
      pairs.append((pair[0], pair[1]))
    }
    return pairs
  }

  /// Its keys are numbered when all are known.
  private mutating func scan(
    _ asked: HistoryRecord, _ answer: HistoryRecord?
  ) throws(HistoryFileError) -> KeyedAction? {
    guard let answer else { return nil }
    let found = try pairs(answer)
    for (key, value) in found {
      _ = self.key(key)
      _ = self.value(value)
    }
    scans.append(Scan(call: calls.count, record: asked, found: found))
    return .scan(lower: 0, upper: 0, backward: asked.isBackward, limit: asked.limit, found: [])
  }

  // MARK: The order of keys

  private mutating func order() {
    if scans.isEmpty { return }
    let sorted = keyData.sorted { $0.precedes($1) }
    var place: [Datum: Int32] = [:]
    for (number, key) in sorted.enumerated() { place[key] = Int32(number) }
    let renamed = keyData.map { place[$0] ?? 0 }
    var number = 0
    while number < calls.count {
      switch calls[number].action {
      case .point(let key, let kind, let value, let expected):
        calls[number].action = .point(
          key: renamed[Int(key)], kind, value: value, expected: expected)
      case .batch(let writes):
        calls[number].action = .batch(
          writes.map { KeyedValue(renamed[Int($0.key)], $0.value) })
      case .scan: break
      }
      number += 1
    }
    for scan in scans {
      func bound(_ key: Datum?, _ otherwise: Int) -> Int32 {
        guard let key else { return Int32(otherwise) }
        return Int32(sorted.firstIndex { !$0.precedes(key) } ?? sorted.count)
      }
      calls[scan.call].action = .scan(
        lower: bound(scan.record.lower, 0), upper: bound(scan.record.upper, sorted.count),
        backward: scan.record.isBackward, limit: scan.record.limit,
        found: scan.found.map { KeyedValue(place[$0.key] ?? -1, numbers.known($0.value) ?? -1) })
    }
    keyData = sorted
  }

  /// One line for people: what a call was.
  public func described(_ call: Int) -> String {
    let lines = lines[call]
    return
      "process \(processes[call]), asked in line \(lines.invoked), answered in line \(lines.returned)"
  }
}
