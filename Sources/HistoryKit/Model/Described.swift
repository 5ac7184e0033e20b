public import EngineKit

/// Bytes and operations as people read them: text where it is printable ASCII, else hexadecimal;
/// long ones cut. For messages and reports.
public enum Described {
  /// A key or value in quotes, as "k17", 0x00ff, or with its length where it is long.
  public static func bytes(_ bytes: Bytes) -> String {
    let limit = 40
    let shown = bytes.prefix(limit)
    let printable = shown.allSatisfy { $0 >= 0x20 && $0 < 0x7f && $0 != 0x22 && $0 != 0x5c }
    var text: String
    if printable {
      text = "\"" + String(decoding: shown, as: UTF8.self) + "\""
    } else {
      text = "0x"
      for byte in shown { text += (byte < 16 ? "0" : "") + String(byte, radix: 16) }
    }
    if bytes.count > limit { text += "... (\(bytes.count) bytes)" }
    return text
  }

  public static func value(_ value: Bytes?) -> String {
    value.map { bytes($0) } ?? "nothing"
  }

  /// A key with its tree, where that is not the default one.
  public static func key(_ key: Bytes, in tree: TreeName) -> String {
    tree.isEmpty ? "key \(bytes(key))" : "key \(bytes(key)) of tree \"\(tree)\""
  }

  public static func operation(_ operation: Operation) -> String {
    switch operation {
    case .get(let key, let tree): return "get \(bytes(key))\(suffix(tree))"
    case .insert(let value, let key, let tree):
      return "insert \(bytes(key)) = \(bytes(value))\(suffix(tree))"
    case .remove(let key, let tree): return "remove \(bytes(key))\(suffix(tree))"
    case .compareExchange(let key, let expected, let desired, let tree):
      return "compareExchange \(bytes(key)): \(value(expected)) -> \(value(desired))\(suffix(tree))"
    case .scan(let range, let direction, let limit, let tree):
      let lower = range.lower.map { bytes($0) } ?? ""
      let upper = range.upper.map { bytes($0) } ?? ""
      let most = limit == .max ? "" : ", at most \(limit)"
      return "scan \(lower)..<\(upper) \(direction.rawValue)\(most)\(suffix(tree))"
    case .batch(let writes):
      let shown = writes.prefix(6).map { "\(bytes($0.key)) = \(value($0.value))\(suffix($0.tree))" }
      let more = writes.count > 6 ? ", ... (\(writes.count) writes)" : ""
      return "batch " + shown.joined(separator: ", ") + more
    case .flush: return "flush"
    case .checkpoint: return "checkpoint"
    case .backgroundWork: return "background work"
    case .evict: return "evict"
    case .clean: return "clean"
    case .nextID: return "next id"
    case .count(let tree): return "count\(suffix(tree))"
    case .dropTree(let tree): return "drop tree \"\(tree)\""
    }
  }

  public static func outcome(_ outcome: Outcome) -> String {
    switch outcome {
    case .value(let found): return value(found)
    case .exchange(let exchanged, let original):
      return "\(exchanged ? "exchanged" : "not exchanged"), found \(value(original))"
    case .entries(let entries):
      let shown = entries.prefix(3).map { "\(bytes($0.key)) = \(bytes($0.value))" }
      let more = entries.count > 3 ? ", ..." : ""
      return "\(entries.count) entries " + shown.joined(separator: ", ") + more
    case .identifier(let id): return "\(id)"
    case .number(let number): return "\(number)"
    case .flag(let flag): return flag ? "yes" : "no"
    case .done: return "done"
    case .failure(let code, let message, let refused):
      return "\(code.rawValue)\(refused ? " (refused)" : ""): \(message)"
    }
  }

  private static func suffix(_ tree: TreeName) -> String { tree.isEmpty ? "" : " in \"\(tree)\"" }
}
