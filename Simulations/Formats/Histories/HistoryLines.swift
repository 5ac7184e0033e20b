/// The records of a history file, whichever of the three kinds it is: our lines of JSON, Jepsen's EDN, or the
/// plain lines of Jepsen's log. Which one its first bytes say. The file comes in pieces, and what was read of it is
/// not kept.
///
/// Invariant: `bytes` from `place` on is what was taken from the source and not read yet; it begins in line `line`.
struct HistoryLines {
  private enum Kind { case json, edn, log }

  /// The next piece of the file; empty at its end.
  private let source: () -> [UInt8]
  private var isAtEnd = false
  private var bytes: [UInt8] = []
  private var kind: Kind?
  private var place = 0
  private var line = 1

  init(_ source: @escaping () -> [UInt8]) { self.source = source }

  /// Takes another piece; false where there is none.
  private mutating func takeMore() -> Bool {
    if isAtEnd { return false }
    let piece = source()
    if piece.isEmpty {
      isAtEnd = true
      return false
    }
    bytes.removeSubrange(..<place)
    place = 0
    bytes += piece
    return true
  }

  /// Nil where it takes more bytes to tell.
  private static func kind(_ bytes: [UInt8]) -> Kind? {
    var reader = DatumReader(bytes, isEDN: true, from: 0, to: bytes.count)
    guard let first = reader.peek() else { return nil }
    switch first {
    case 0x5B, 0x28, 0x23: return .edn
    case 0x7B:
      _ = reader.take(0x7B)
      return reader.peek().map { $0 == 0x22 ? .json : .edn }
    default: return .log
    }
  }

  private mutating func findKind() -> Kind {
    while true {
      if let known = kind ?? HistoryLines.kind(bytes) {
        kind = known
        return known
      }
      if !takeMore() { kind = .json }
    }
  }

  /// The next record of a client; nil at the end.
  mutating func next() throws(HistoryFileError) -> HistoryRecord? {
    let kind = findKind()
    while true {
      let record = kind == .edn ? try nextOfEDN() : try nextLine(kind)
      guard let record else { return nil }
      if let found = record.value, found.process != nil { return found }
    }
  }

  /// A record, or nothing worth one.
  private struct Step {
    var value: HistoryRecord?
  }

  private mutating func nextLine(_ kind: Kind) throws(HistoryFileError) -> Step? {
    var length = 0
    while true {
      while place + length < bytes.count && bytes[place + length] != 0x0A { length += 1 }
      if place + length < bytes.count || !takeMore() { break }
    }
    if place >= bytes.count { return nil }
    let (start, end) = (place, place + length)
    place = min(end + 1, bytes.count)
    let number = line
    line += 1
    var reader = DatumReader(bytes, isEDN: kind == .log, from: start, to: end)
    if reader.peek() == nil { return Step() }
    do throws(FormatError) {
      if kind == .log { return Step(value: try JepsenLog.record(bytes[start..<end], line: number)) }
      let record = try RecordReader.record(&reader, line: number)
      if reader.peek() != nil { throw FormatError("something follows the record") }
      return Step(value: record)
    } catch {
      throw HistoryFileError(number, error.description)
    }
  }

  private mutating func nextOfEDN() throws(HistoryFileError) -> Step? {
    while true {
      var reader = DatumReader(bytes, isEDN: true, from: place, to: bytes.count)
      guard let byte = reader.peek() else {
        if takeMore() { continue }
        return nil
      }
      // Brackets round all records, or a tag before one.
      if byte == 0x5B || byte == 0x5D || byte == 0x28 || byte == 0x29 {
        _ = reader.take(byte)
        count(upTo: reader.place)
        continue
      }
      count(upTo: reader.place)
      do throws(FormatError) {
        if byte == 0x23 {
          try reader.skipTag()
          if reader.peek() == nil && takeMore() { continue }
          if reader.peek() != 0x7B {
            count(upTo: reader.place)
            continue
          }
        }
        let record = try RecordReader.record(&reader, line: line)
        count(upTo: reader.place)
        return Step(value: record)
      } catch {
        // It may be no more than the end of a piece.
        if reader.place >= bytes.count && takeMore() { continue }
        count(upTo: reader.place)
        throw HistoryFileError(line, error.description)
      }
    }
  }

  private mutating func count(upTo end: Int) {
    while place < end {
      if bytes[place] == 0x0A { line += 1 }
      place += 1
    }
  }
}

/// A line of Jepsen's log, as `INFO  jepsen.util - 3<tab>:invoke<tab>:write<tab>4`.
enum JepsenLog {
  /// Nil for a line of the log that tells of something else.
  static func record(
    _ text: ArraySlice<UInt8>, line: Int
  ) throws(FormatError) -> HistoryRecord? {
    let words = text.split { $0 == 0x20 || $0 == 0x09 || $0 == 0x0D }
    guard let level = words.first, levels.contains(String(decoding: level, as: UTF8.self)) else {
      throw FormatError("no line of a log")
    }
    guard words.count >= 2, String(decoding: words[1], as: UTF8.self) == "jepsen.util",
      words.count >= 4, words[2].elementsEqual([0x2D])
    else { return nil }
    var reader = DatumReader(
      Array(text), isEDN: true, from: words[3].startIndex - text.startIndex, to: text.count)
    let process = try reader.value()
    // Other messages of the same part of Jepsen.
    guard process.number != nil || process.isText("nemesis") else { return nil }
    var record = HistoryRecord(line: line, kind: try RecordReader.kind(try reader.value()))
    record.process = process.number
    if record.process == nil { return record }
    record.operation = try reader.value()
    record.value = try reader.value()
    if reader.peek() != nil, record.kind == .invoke || record.kind == .ok {
      throw FormatError("something follows the value")
    }
    return record
  }

  private static let levels = ["INFO", "WARN", "ERROR", "DEBUG", "TRACE"]
}
