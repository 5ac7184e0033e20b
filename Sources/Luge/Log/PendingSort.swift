/// Sorts operations by key, those of one key in the order in which they come.
///
/// By digits of the heads, from the last to the first, which keeps the order of equal ones and looks at
/// no key; then runs of equal heads by what follows them.
///
/// Safe: it works on `count` entries that the caller owns, and as many of its own.
@safe
enum PendingSort {
  private static let digitBits: UInt64 = 11
  private static let digits = 1 << 11

  /// Answers how many bytes all keys share: heads are taken behind them. The entries may lie elsewhere
  /// afterwards.
  static func sort(
    _ entries: inout UnsafeMutablePointer<PendingEntry>, _ count: Int, _ capacity: Int
  ) -> Int {
    let prefix = unsafe sharedPrefix(entries, count)
    if prefix > 0 {
      var index = 0
      while index < count {
        unsafe entries[index].head = entries[index].record.key.head(at: prefix)
        index += 1
      }
    }
    unsafe sortByHeads(&entries, count, capacity)
    unsafe sortRuns(UnsafeMutableBufferPointer(start: entries, count: count))
    return prefix
  }

  private static func sharedPrefix(
    _ entries: UnsafeMutablePointer<PendingEntry>, _ count: Int
  ) -> Int {
    if count == 0 { return 0 }
    let first = unsafe entries[0].record.key
    var shared = first.count
    var index = 1
    while index < count && shared > 0 {
      let entry = unsafe entries[index]
      // Most differ in their first bytes, and those are here.
      let differing = unsafe entry.head ^ entries[0].head
      let early = differing.leadingZeroBitCount / 8
      if early < min(shared, 8) {
        shared = early
      } else {
        shared = min(shared, ByteView.commonPrefix(first, entry.record.key))
      }
      index += 1
    }
    return min(shared, first.count)
  }

  private static func sortByHeads(
    _ entries: inout UnsafeMutablePointer<PendingEntry>, _ count: Int, _ capacity: Int
  ) {
    if count < 2 { return }
    if count <= fewEntries { return unsafe insertByHeads(entries, count) }
    var varying: UInt64 = 0
    var index = 1
    while index < count {
      unsafe varying |= entries[index].head ^ entries[0].head
      index += 1
    }
    var target = UnsafeMutablePointer<PendingEntry>.allocate(capacity: capacity)
    var shift: UInt64 = 0
    while shift < 64 {
      // A digit that is the same in all says nothing.
      if varying >> shift & UInt64(digits - 1) != 0 {
        unsafe distribute(entries, target, count, shift)
        unsafe swap(&entries, &target)
      }
      shift += digitBits
    }
    unsafe target.deallocate()
  }

  /// So few are sorted faster without counting digits.
  private static let fewEntries = 32

  /// Puts each behind those before it whose heads are not above its own: equal ones keep their order.
  private static func insertByHeads(_ entries: UnsafeMutablePointer<PendingEntry>, _ count: Int) {
    var index = 1
    while index < count {
      let entry = unsafe entries[index]
      var place = index
      while unsafe place > 0 && entries[place - 1].head > entry.head {
        unsafe entries[place] = entries[place - 1]
        place -= 1
      }
      unsafe entries[place] = entry
      index += 1
    }
  }

  private static func distribute(
    _ source: UnsafeMutablePointer<PendingEntry>, _ target: UnsafeMutablePointer<PendingEntry>,
    _ count: Int, _ shift: UInt64
  ) {
    let mask = UInt64(digits - 1)
    // 16 KiB on the stack.
    unsafe withUnsafeTemporaryAllocation(of: Int.self, capacity: digits) { places in
      unsafe places.initialize(repeating: 0)
      var index = 0
      while index < count {
        unsafe places[Int(source[index].head >> shift & mask)] += 1
        index += 1
      }
      var sum = 0
      var digit = 0
      while digit < digits {
        let some = unsafe places[digit]
        unsafe places[digit] = sum
        sum += some
        digit += 1
      }
      index = 0
      while index < count {
        let digit = unsafe Int(source[index].head >> shift & mask)
        unsafe (target + places[digit]).initialize(to: source[index])
        unsafe places[digit] += 1
        index += 1
      }
    }
  }

  /// Equal heads: keys that go on differently, or end, or are the same.
  private static func sortRuns(_ entries: UnsafeMutableBufferPointer<PendingEntry>) {
    var start = 0
    while start < entries.count {
      var end = start + 1
      while unsafe end < entries.count && entries[end].head == entries[start].head { end += 1 }
      if end - start > 1 {
        unsafe sortRun(UnsafeMutableBufferPointer(rebasing: entries[start..<end]))
      }
      start = end
    }
  }

  private static func sortRun(_ entries: UnsafeMutableBufferPointer<PendingEntry>) {
    var run = unsafe entries
    var index = 1
    while index < run.count {
      let order = unsafe ByteView.compare(run[index - 1].record.key, run[index].record.key)
      if order > 0 { break }
      index += 1
    }
    if index == run.count { return }
    // The order of commits keeps that of operations on one key. (Their places do not: where payloads lie
    // apart, offsets may be larger than what lies between two LSNs.)
    unsafe run.sort { left, right in
      let order = ByteView.compare(left.record.key, right.record.key)
      return order != 0 ? order < 0 : isBefore(left.record, right.record)
    }
  }

  private static func isBefore(_ left: PendingRecord, _ right: PendingRecord) -> Bool {
    left.lsn != right.lsn ? left.lsn < right.lsn : left.offset < right.offset
  }
}
