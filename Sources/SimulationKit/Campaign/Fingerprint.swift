internal import CPlatform
internal import EngineKit

/// A hash over operations, answers and contents, for traces. Bytes are taken in bulk.
struct Fingerprint {
  private var state = platform_hash128(low: 0, high: 0)

  var value: UInt64 { state.low ^ state.high }

  mutating func add(_ word: UInt64) { state = platform_hash128_word(state, word) }

  mutating func add(_ bytes: Bytes) {
    add(UInt64(bytes.count))
    // The pointer is valid for the call, and for as many bytes as the array has.
    unsafe state = bytes.withUnsafeBytes {
      unsafe platform_hash128_bytes(state, $0.baseAddress, $0.count)
    }
  }

  mutating func add(_ bytes: Bytes?) {
    guard let bytes else { return add(UInt64.max) }
    add(bytes)
  }

  mutating func add(_ text: String) {
    var text = text
    text.withUTF8 {
      add(UInt64($0.count))
      // The pointer is valid for the call, and for as many bytes as the text has.
      unsafe state = platform_hash128_bytes(state, $0.baseAddress, $0.count)
    }
  }

  mutating func add(_ entries: [Entry]) {
    add(UInt64(entries.count))
    var index = 0
    while index < entries.count {
      add(entries[index].key)
      add(entries[index].value)
      index += 1
    }
  }

  mutating func add(_ range: KeyRange) {
    add(range.lower)
    add(range.upper)
  }

  mutating func add(_ operation: Operation) {
    switch operation {
    case .get(let key, let tree):
      add(1)
      add(key)
      add(tree)
    case .insert(let value, let key, let tree):
      add(2)
      add(value)
      add(key)
      add(tree)
    case .remove(let key, let tree):
      add(3)
      add(key)
      add(tree)
    case .compareExchange(let key, let expected, let desired, let tree):
      add(4)
      add(key)
      add(expected)
      add(desired)
      add(tree)
    case .scan(let range, let direction, let limit, let tree):
      add(direction == .forward ? 5 : 6)
      add(range)
      add(UInt64(limit))
      add(tree)
    case .batch(let writes):
      add(7)
      for write in writes {
        add(write.key)
        add(write.value)
        add(write.tree)
      }
    case .flush: add(8)
    case .checkpoint: add(9)
    case .backgroundWork: add(10)
    case .evict: add(14)
    case .clean: add(15)
    case .nextID: add(11)
    case .count(let tree):
      add(12)
      add(tree)
    case .dropTree(let tree):
      add(13)
      add(tree)
    }
  }

  mutating func add(_ outcome: Outcome) {
    switch outcome {
    case .value(let value):
      add(1)
      add(value)
    case .exchange(let exchanged, let original):
      add(exchanged ? 2 : 3)
      add(original)
    case .entries(let entries):
      add(4)
      add(entries)
    case .identifier(let number):
      add(5)
      add(number)
    case .number(let number):
      add(6)
      add(UInt64(bitPattern: Int64(number)))
    case .flag(let flag): add(flag ? 7 : 8)
    case .done: add(9)
    case .failure(let code, _, let refused):
      add(refused ? 10 : 11)
      add(code.rawValue)
    }
  }
}
