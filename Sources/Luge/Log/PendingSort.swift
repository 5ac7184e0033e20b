/// Sorts operations by key, those of one key in the order in which they come.
///
/// By digits of the heads, from the last to the first, which keeps the order of equal ones and looks at
/// no key; then runs of equal heads by what follows them.
enum PendingSort {
  /// Answers how many bytes all keys share: heads are taken behind them.
  static func sort(_ entries: inout [PendingEntry]) -> Int {
    let prefix = sharedPrefix(entries)
    if prefix > 0 {
      var index = 0
      while index < entries.count {
        entries[index].head = entries[index].record.key.head(at: prefix)
        index += 1
      }
    }
    sortByHeads(&entries)
    sortRuns(&entries)
    return prefix
  }

  private static func sharedPrefix(_ entries: [PendingEntry]) -> Int {
    guard let first = entries.first?.record.key else { return 0 }
    var shared = first.count
    var index = 1
    while index < entries.count && shared > 0 {
      let key = entries[index].record.key
      shared = min(shared, ByteView.commonPrefix(first, key))
      index += 1
    }
    return shared
  }

  private static func sortByHeads(_ entries: inout [PendingEntry]) {
    guard entries.count > 1, var varying = entries.first?.head else { return }
    let first = varying
    varying = 0
    var index = 1
    while index < entries.count {
      varying |= entries[index].head ^ first
      index += 1
    }
    var target = entries
    var shift: UInt64 = 0
    while shift < 64 {
      // A digit that is the same in all says nothing.
      if varying >> shift & 0xFF != 0 {
        distribute(entries, &target, shift)
        swap(&entries, &target)
      }
      shift += 8
    }
  }

  private static func distribute(
    _ source: [PendingEntry], _ target: inout [PendingEntry], _ shift: UInt64
  ) {
    var places = [Int](repeating: 0, count: 256)
    var index = 0
    while index < source.count {
      places[Int(source[index].head >> shift & 0xFF)] += 1
      index += 1
    }
    var sum = 0
    var digit = 0
    while digit < 256 {
      (places[digit], sum) = (sum, sum + places[digit])
      digit += 1
    }
    index = 0
    while index < source.count {
      let digit = Int(source[index].head >> shift & 0xFF)
      target[places[digit]] = source[index]
      places[digit] += 1
      index += 1
    }
  }

  /// Equal heads: keys that go on differently, or end, or are the same.
  private static func sortRuns(_ entries: inout [PendingEntry]) {
    var start = 0
    while start < entries.count {
      var end = start + 1
      while end < entries.count && entries[end].head == entries[start].head { end += 1 }
      if end - start > 1 { sortRun(&entries, start..<end) }
      start = end
    }
  }

  private static func sortRun(_ entries: inout [PendingEntry], _ run: Range<Int>) {
    let isSorted = run.dropFirst().allSatisfy { index in
      ByteView.compare(entries[index - 1].record.key, entries[index].record.key) <= 0
    }
    if isSorted { return }
    // The position in the stream keeps the order of operations on one key.
    entries[run].sort { left, right in
      let order = ByteView.compare(left.record.key, right.record.key)
      return order != 0 ? order < 0 : left.record.position < right.record.position
    }
  }
}
