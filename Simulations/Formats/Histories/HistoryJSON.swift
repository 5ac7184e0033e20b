public import HistoryKit

/// Histories as lines of JSON, one a line:
///
/// | field | meaning |
/// |---|---|
/// | `process` | number of a client; one call at a time, and none after an answer `info` |
/// | `type` | `invoke`; then `ok`; or `fail`: it did not take place; or `info`: nobody knows |
/// | `f` | `read` (`get`), `write` (`insert`, `put`), `cas`; of a map also `remove`, `batch`, `scan` |
/// | `key` | of a map; may be missing for a register |
/// | `value` | what is written or was read, null for nothing; of `cas` `[old, new]`; of `batch`, and of an answered `scan`, `[[key, value], ...]` |
/// | `found` | of an answered write, what it replaced; of an answered `cas` what it found; may be missing |
/// | `exchanged` | of an answered `cas`: false where it found something else; may be missing |
/// | `from`, `to`, `reverse`, `limit` | of `scan`: first key, key after the last, direction, most entries; may be missing |
public enum HistoryJSON {
  /// Appends one line.
  public static func append(_ line: HistoryMaker.Line, to text: inout [UInt8]) {
    func add(_ part: String) { text.append(contentsOf: part.utf8) }
    func value(_ number: Int) -> String { number == 0 ? "null" : "\(number)" }
    add("{\"process\":\(line.process),\"type\":\"\(line.kind.rawValue)\",")
    switch line.operation {
    case .read(let found):
      add("\"f\":\"read\",\"value\":\(value(found ?? 0))}\n")
    case .write(let new): add("\"f\":\"write\",\"value\":\(value(new))}\n")
    case .exchange(let expected, let desired):
      add("\"f\":\"cas\",\"value\":[\(value(expected)),\(value(desired))]")
      add(line.kind == .ok ? ",\"exchanged\":true}\n" : "}\n")
    case .refused(let expected, let desired, let found):
      add("\"f\":\"cas\",\"value\":[\(value(expected)),\(value(desired))]")
      add(",\"exchanged\":false,\"found\":\(value(found))}\n")
    }
  }
}
