/// One line of a history: a client asked for something, or was answered.
struct HistoryRecord {
  enum Kind { case invoke, ok, fail, info }

  /// Counts from 1.
  var line: Int
  var kind: Kind
  /// Nil: none of the clients, as the nemesis of a test.
  var process: Int?
  var operation: Datum = .nothing
  /// Nil where there is none.
  var key: Datum?
  var value: Datum = .nothing
  /// Of a compare-exchange that was answered: whether it exchanged; of any write: what it found. Nil: not told.
  var exchanged: Bool?
  var found: Datum?
  // Of a scan.
  var lower: Datum?
  var upper: Datum?
  var isBackward = false
  var limit = Int.max
}

/// What is wrong with a history file, and where.
public struct HistoryFileError: Error, Equatable, Sendable, CustomStringConvertible {
  /// Counts from 1.
  public var line: Int
  public var message: String
  public init(_ line: Int, _ message: String) {
    self.line = line
    self.message = message
  }
  public var description: String { "line \(line): \(message)" }
}

/// Takes apart one map of JSON or EDN.
struct RecordReader {
  private enum Field {
    case type, process, f, key, value, exchanged, found, from, to, reverse, limit, other
  }

  /// The reader stands at the opening brace.
  static func record(
    _ reader: inout DatumReader, line: Int
  ) throws(FormatError) -> HistoryRecord {
    guard reader.take(0x7B) else { throw FormatError("no record begins here") }
    var record = HistoryRecord(line: line, kind: .invoke)
    var hasKind = false
    var hasProcess = false
    var isFirst = true
    while !reader.take(0x7D) {
      if !reader.isEDN && !isFirst && !reader.take(0x2C) { throw FormatError("a comma is missing") }
      isFirst = false
      let field = try RecordReader.field(&reader)
      if !reader.isEDN && !reader.take(0x3A) { throw FormatError("a colon is missing") }
      if field == .other {
        try skip(&reader)
        continue
      }
      let value = try reader.value()
      switch field {
      case .type:
        record.kind = try kind(value)
        hasKind = true
      case .process:
        record.process = value.number
        hasProcess = true
      default: try set(field, value, &record)
      }
    }
    if !hasKind || !hasProcess { throw FormatError("a record without type or process") }
    return record
  }

  /// Passes over a value of which nothing is wanted, with all the maps and lists in it.
  private static func skip(_ reader: inout DatumReader, depth: Int = 0) throws(FormatError) {
    if depth > DatumReader.mostDepth { throw FormatError("lists too deep in one another") }
    switch reader.peek() {
    case 0x7B: try skipItems(&reader, to: 0x7D, depth)
    case 0x5B: try skipItems(&reader, to: 0x5D, depth)
    case 0x28: try skipItems(&reader, to: 0x29, depth)
    case 0x23 where reader.isEDN:
      try reader.skipTag()
      try skip(&reader, depth: depth + 1)
    default: _ = try reader.value()
    }
  }

  private static func skipItems(
    _ reader: inout DatumReader, to close: UInt8, _ depth: Int
  ) throws(FormatError) {
    if let open = reader.peek() { _ = reader.take(open) }
    var isFirst = true
    while !reader.take(close) {
      if !reader.isEDN && !isFirst && !reader.take(0x2C) { throw FormatError("a comma is missing") }
      isFirst = false
      try skip(&reader, depth: depth + 1)
      guard close == 0x7D else { continue }
      if !reader.isEDN && !reader.take(0x3A) { throw FormatError("a colon is missing") }
      try skip(&reader, depth: depth + 1)
    }
  }

  private static func set(
    _ field: Field, _ value: Datum, _ record: inout HistoryRecord
  ) throws(FormatError) {
    switch field {
    case .f: record.operation = value
    case .key: record.key = value
    case .value: record.value = value
    case .exchanged:
      guard case .flag(let flag) = value else { throw FormatError("exchanged is true or false") }
      record.exchanged = flag
    case .found: record.found = value
    case .from: record.lower = value == .nothing ? nil : value
    case .to: record.upper = value == .nothing ? nil : value
    case .reverse:
      guard case .flag(let flag) = value else { throw FormatError("reverse is true or false") }
      record.isBackward = flag
    case .limit:
      guard let number = value.number, number >= 0 else { throw FormatError("limit is a number") }
      record.limit = number
    case .type, .process, .other: break
    }
  }

  private static func field(_ reader: inout DatumReader) throws(FormatError) -> Field {
    guard let name = reader.name() else {
      // A name with escapes, or none at all.
      let name = try reader.value()
      return names.first { name.isText($0.name) }?.field ?? .other
    }
    var number = 0
    while number < names.count {
      if reader.has(names[number].name, at: name) { return names[number].field }
      number += 1
    }
    return .other
  }

  private static let names: [(name: StaticString, field: Field)] = [
    ("process", .process), ("type", .type), ("f", .f), ("value", .value), ("key", .key),
    ("exchanged", .exchanged), ("found", .found), ("from", .from), ("to", .to),
    ("reverse", .reverse), ("limit", .limit),
  ]

  static func kind(_ value: Datum) throws(FormatError) -> HistoryRecord.Kind {
    if value.isText("invoke") { return .invoke }
    if value.isText("ok") { return .ok }
    if value.isText("fail") { return .fail }
    if value.isText("info") { return .info }
    throw FormatError("\"\(value.text)\" is no type; there are invoke, ok, fail and info")
  }
}
