import Luge

// Scans, which see one moment, and what is done to whole ranges.

extension Worker {
  /// Scans a stretch of keys: every one of them as it was when the cursor was made.
  mutating func scan() throws {
    let count = 1 + random.below(200)
    let first = random.below(options.keys)
    let last = min(options.keys, first + count)
    let low = (first..<last).map { truth.done.load($0) }
    let range = KeyRange(
      lower: Bytes.key(first, Worker.prefix), upper: Bytes.key(last, Worker.prefix))
    let isAscending = random.bool()
    var cursor = trees.keys.cursor(in: range)
    let high = (first..<last).map { truth.started.load($0) }
    var found = [[UInt8]?](repeating: nil, count: last - first)
    var former: Int?
    while try isAscending ? cursor.moveNext() : cursor.movePrevious() {
      let index = Bytes.index(ofKey: Bytes.copy(cursor.key))
      if let former, isAscending ? index <= former : index >= former {
        return fail("a scan met key \(index) after \(former)")
      }
      former = index
      guard index >= first && index < last else { return fail("a scan met \(index)") }
      found[index - first] = Bytes.copy(cursor.value)
    }
    for place in found.indices {
      // Not `check`: the moment may lie before one that this thread has seen by other means.
      var version: UInt64?
      if let value = found[place] {
        version = Bytes.version(of: value, forKey: first + place)
        if version == nil { return fail("a scan met bytes of \(first + place) nobody wrote") }
      }
      if let objection = Truth.objection(version, low[place], high[place]) {
        return fail("a scan met \(objection) of key \(first + place)")
      }
    }
  }

  /// A cursor that goes to and fro meets each entry of its range once.
  mutating func readOutOfOrder() throws {
    let first = random.below(options.keys)
    let range = KeyRange(
      lower: Bytes.key(first, Worker.prefix), upper: Bytes.key(first + 60, Worker.prefix))
    var cursor = trees.keys.cursor(in: range)
    var low = first - 1
    var high = first + 60
    while true {
      let up = random.bool()
      guard try up ? cursor.moveNext() : cursor.movePrevious() else { break }
      let index = Bytes.index(ofKey: Bytes.copy(cursor.key))
      guard index > low && index < high else {
        return fail("a cursor that turns met \(index), not between \(low) and \(high)")
      }
      if up { low = index } else { high = index }
    }
  }

  /// A snapshot answers the same however often and by whatever way it is asked.
  mutating func readSnapshot() throws {
    let snapshot = try database.snapshot()
    for _ in 0..<3 {
      let index = random.below(options.keys)
      let key = Bytes.key(index, Worker.prefix)
      let value = try snapshot.value(forKey: key, in: trees.keys)
      try writeOwnKey()
      let again = try snapshot.value(forKey: key, in: trees.keys)
      var cursor = try snapshot.cursor(in: .through(key), of: trees.keys)
      let last = try cursor.previous()
      if again != value || (value != nil && (last?.key != key || last?.value != value)) {
        fail("a snapshot shows two states of key \(index)")
      }
    }
  }

  /// Fills a range of this thread's own, looks at it, and removes part of it.
  mutating func fillAndEmptyRange() throws {
    let prefix = UInt8(number)
    let count = 1 + random.below(300)
    let first = random.below(1000)
    let entries = (first..<first + count).map {
      Entry(key: Bytes.key($0, prefix), value: Bytes.value($0, UInt64(count)))
    }
    let all = KeyRange.prefix([prefix])
    try write { (worker) throws in try worker.trees.ranges.removeAll(in: all) }
    try write { (worker) throws in try worker.trees.ranges.load(entries) }
    let sum = try trees.ranges.checksum(in: all)
    if try trees.ranges.entries(in: all) != entries { fail("a loaded range lacks something") }
    if try trees.ranges.checksum(in: all) != sum { fail("a checksum differs") }
    let middle = first + random.below(count)
    let upper = KeyRange(lower: Bytes.key(middle, prefix), upper: Bytes.key(1 << 20, prefix))
    var removed = 0
    try write { (worker) throws in removed += try worker.trees.ranges.removeAll(in: upper) }
    let left = try trees.ranges.keys(in: all)
    // What a try removed before it was refused is not counted.
    if removed > first + count - middle || left.count != middle - first {
      fail("removed \(removed) of \(first + count - middle), and \(left.count) are left")
    }
  }
}
