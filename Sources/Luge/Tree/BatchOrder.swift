internal import Platform

/// The writes of a batch in the order in which they are installed: by tree id, then by key; of
/// several for one key the last.
///
/// Safe because it owns its memory, and every index is below `capacity`, the number of writes.
@safe struct BatchOrder: ~Copyable {
  private struct Ranked {
    /// First bytes of the key: numbers that differ are ordered as the keys are.
    var head: UInt64
    var tree: UInt32
    var index: UInt32
  }

  private let entries: UnsafeMutablePointer<Ranked>
  private let buffer: BatchBuffer
  private(set) var count: Int

  /// The position in the buffer of the write at `index` of the order.
  @inline(__always)
  func position(_ index: Int) -> Int { unsafe Int(entries[index].index) }

  /// `ranks` gives each tree's place in the order of ids, by its number in the buffer.
  init(_ buffer: BatchBuffer, ranks: [Int]) {
    let capacity = buffer.count
    self.buffer = buffer
    count = capacity
    // The second half is room for merging.
    unsafe entries = .allocate(capacity: 2 * capacity)
    var index = 0
    while index < capacity {
      let place = buffer.place(index)
      let entry = Ranked(
        head: buffer.key(place).head(at: 0), tree: UInt32(ranks[place.tree]),
        index: UInt32(index))
      unsafe (entries + index).initialize(to: entry)
      index &+= 1
    }
    sort()
    removeReplaced()
  }

  deinit { unsafe entries.deallocate() }

  /// Of one key the earlier write is below the later one.
  @inline(__always)
  private func isBelow(_ left: Ranked, _ right: Ranked) -> Bool {
    if left.tree != right.tree { return left.tree < right.tree }
    if left.head != right.head { return left.head < right.head }
    return isBelowByKey(left, right)
  }

  @inline(never)
  private func isBelowByKey(_ left: Ranked, _ right: Ranked) -> Bool {
    let order = compare(left, right)
    return order != 0 ? order < 0 : left.index < right.index
  }

  private func compare(_ left: Ranked, _ right: Ranked) -> Int {
    ByteView.compare(
      buffer.key(buffer.place(Int(left.index))), buffer.key(buffer.place(Int(right.index))))
  }

  /// Short runs by insertion, then merged pairwise. What is in order already costs one look.
  private func sort() {
    let run = 8
    var start = 0
    while start < count {
      insertionSort(start, min(start &+ run, count))
      start &+= run
    }
    var width = run
    while width < count {
      var start = 0
      while start &+ width < count {
        merge(start, start &+ width, min(start &+ 2 &* width, count))
        start &+= 2 &* width
      }
      width &*= 2
    }
  }

  private func insertionSort(_ start: Int, _ end: Int) {
    var index = start &+ 1
    while index < end {
      let entry = unsafe entries[index]
      var place = index
      while place > start, unsafe isBelow(entry, entries[place &- 1]) {
        unsafe entries[place] = entries[place &- 1]
        place &-= 1
      }
      unsafe entries[place] = entry
      index &+= 1
    }
  }

  /// Merges the runs before and from `middle`. The left one steps aside into the room.
  private func merge(_ start: Int, _ middle: Int, _ end: Int) {
    if unsafe isBelow(entries[middle &- 1], entries[middle]) { return }
    let left = unsafe entries + buffer.count
    let leftCount = middle &- start
    unsafe left.update(from: entries + start, count: leftCount)
    var (taken, next, target) = (0, middle, start)
    while taken < leftCount && next < end {
      if unsafe isBelow(entries[next], left[taken]) {
        unsafe entries[target] = entries[next]
        next &+= 1
      } else {
        unsafe entries[target] = left[taken]
        taken &+= 1
      }
      target &+= 1
    }
    // What is left of the right run is in its place.
    unsafe (entries + target).update(from: left + taken, count: leftCount &- taken)
  }

  /// Keeps the last of several writes for one key.
  private mutating func removeReplaced() {
    if count < 2 { return }
    var kept = 0
    var index = 1
    while index < count {
      let (former, entry) = unsafe (entries[kept], entries[index])
      let same =
        former.tree == entry.tree && former.head == entry.head && compare(former, entry) == 0
      if !same { kept &+= 1 }
      unsafe entries[kept] = entry
      index &+= 1
    }
    count = kept &+ 1
  }
}
