/// Gives values numbers, in the order in which they turn up; nothing is 0. Most values of a long history are integers,
/// so these have a table of their own, open to the next free place, at most three quarters full.
struct ValueNumbers {
  /// By place: the integer that is there, and its number; -1: none is.
  private var keys = [Int](repeating: 0, count: 16)
  private var numbers = [Int32](repeating: -1, count: 16)
  private var used = 0
  /// Values that are no integers. Looked up only.
  private var others: [Datum: Int32] = [.nothing: 0]
  /// Numbers given.
  private(set) var count = 1

  mutating func number(of datum: Datum) -> Int32 {
    if let known = known(datum) { return known }
    let number = Int32(count)
    count += 1
    guard case .number(let key) = datum else {
      others[datum] = number
      return number
    }
    if 4 * used >= 3 * keys.count { grow() }
    put(key, number)
    used += 1
    return number
  }

  /// Nil where it has none.
  func known(_ datum: Datum) -> Int32? {
    guard case .number(let key) = datum else { return others[datum] }
    let number = numbers[find(key)]
    return number < 0 ? nil : number
  }

  /// Where the key is, or would be.
  private func find(_ key: Int) -> Int {
    let mask = keys.count - 1
    let mixed = (UInt64(bitPattern: Int64(key)) &* 0x9E37_79B9_7F4A_7C15) >> 24
    var place = Int(truncatingIfNeeded: mixed) & mask
    while numbers[place] >= 0 && keys[place] != key { place = (place + 1) & mask }
    return place
  }

  private mutating func put(_ key: Int, _ number: Int32) {
    let place = find(key)
    keys[place] = key
    numbers[place] = number
  }

  private mutating func grow() {
    let former = (keys: keys, numbers: numbers)
    let count = 2 * former.keys.count
    keys = [Int](repeating: 0, count: count)
    numbers = [Int32](repeating: -1, count: count)
    var place = 0
    while place < former.keys.count {
      if former.numbers[place] >= 0 { put(former.keys[place], former.numbers[place]) }
      place += 1
    }
  }
}
