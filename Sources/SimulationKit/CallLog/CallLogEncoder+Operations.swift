internal import EngineKit

/// Operations and outcomes in a call log.
///
/// | operation | byte | rest |
/// |---|---|---|
/// | get, remove | 1, 3 | bytes key, text tree |
/// | insert | 2 | bytes value, bytes key, text tree |
/// | compare-exchange | 4 | bytes key, optional bytes expected, optional bytes desired, text tree |
/// | scan | 5 forward, 6 backward | optional bytes lower, optional bytes upper, limit 8, text tree |
/// | batch | 7 | list: text tree, bytes key, optional bytes value |
/// | flush, checkpoint, background work, next id, evict, clean | 8, 9, 10, 11, 14, 15 | |
/// | count, drop tree | 12, 13 | text tree |
///
/// | outcome | byte | rest |
/// |---|---|---|
/// | value | 1 | optional bytes |
/// | exchange | 2 | exchanged 1, optional bytes original |
/// | entries | 3 | list: bytes key, bytes value |
/// | identifier, number | 4, 5 | 8 |
/// | flag | 6 | 1 |
/// | done | 7 | |
/// | failure | 8 | text code, text message, refused 1 |
extension CallLogEncoder {
  mutating func operation(_ operation: Operation) {
    switch operation {
    case .get(let key, let tree):
      byte(1)
      string(key)
      text(tree)
    case .insert(let value, let key, let tree):
      byte(2)
      string(value)
      string(key)
      text(tree)
    case .remove(let key, let tree):
      byte(3)
      string(key)
      text(tree)
    case .compareExchange(let key, let expected, let desired, let tree):
      byte(4)
      string(key)
      optional(expected)
      optional(desired)
      text(tree)
    case .scan(let range, let direction, let limit, let tree):
      byte(direction == .forward ? 5 : 6)
      optional(range.lower)
      optional(range.upper)
      number(limit)
      text(tree)
    case .batch(let writes):
      byte(7)
      number(UInt32(writes.count))
      for write in writes {
        text(write.tree)
        string(write.key)
        optional(write.value)
      }
    case .flush: byte(8)
    case .checkpoint: byte(9)
    case .backgroundWork: byte(10)
    case .nextID: byte(11)
    case .count(let tree):
      byte(12)
      text(tree)
    case .dropTree(let tree):
      byte(13)
      text(tree)
    case .evict: byte(14)
    case .clean: byte(15)
    }
  }

  mutating func outcome(_ outcome: Outcome) {
    switch outcome {
    case .value(let value):
      byte(1)
      optional(value)
    case .exchange(let exchanged, let original):
      byte(2)
      flag(exchanged)
      optional(original)
    case .entries(let found):
      byte(3)
      entries(found)
    case .identifier(let id):
      byte(4)
      number(id)
    case .number(let value):
      byte(5)
      number(value)
    case .flag(let value):
      byte(6)
      flag(value)
    case .done: byte(7)
    case .failure(let code, let message, let isRefused):
      byte(8)
      text(code.rawValue)
      text(message)
      flag(isRefused)
    }
  }
}
