internal import Platform

/// Where a key is in a leaf, or would go.
struct LeafSlot {
  /// Index of the word; `wordCount` when the key is absent and every append word is taken.
  var index: Int
  /// What the word held. No record in it means: absent, and this is the first empty append word.
  var word: UInt64
}

extension Leaf {
  /// Finds the key's word: among the entries in key order, then in the append words.
  ///
  /// - Parameter near: about where it is among the former; negative when that is not known.
  @inline(__always)
  func locate(_ key: ByteView, near: Int = -1) -> LeafSlot {
    let index = sortedIndex(key, near: near)
    if index >= 0 { return LeafSlot(index: index, word: word(index).load()) }
    return locateAppended(key, from: sortedCount)
  }

  /// Looks through the append words from `start` on, up to the first empty one.
  func locateAppended(_ key: ByteView, from start: Int) -> LeafSlot {
    var index = start
    if isAscending {
      // What is known to ascend is searched by halves, and new keys are compared with the last alone.
      switch locateAscending(key) {
      case .found(let found): return LeafSlot(index: found, word: word(found).load())
      case .absent(let end): index = max(index, end)
      }
    }
    let end = wordCount
    let words = unsafe words
    let hash = key.hash16 << 48
    while index < end {
      let word = unsafe WordRef(words, 8 &* index).load()
      // An empty word, frozen or not, has no record and no hash; a key's hash may be 0.
      if word <= Leaf.frozen { return LeafSlot(index: index, word: word) }
      if (word ^ hash) >> 48 == 0, Record(address: Leaf.record(word)).key == key {
        return LeafSlot(index: index, word: word)
      }
      index &+= 1
    }
    return LeafSlot(index: end, word: 0)
  }

  private enum Ascent {
    case found(Int)
    /// It is in no word before this index, where the known ones end.
    case absent(Int)
  }

  /// Looks through the append words that are known to ascend.
  @inline(__always)
  private func locateAscending(_ key: ByteView) -> Ascent {
    let first = sortedCount
    let end = first &+ Int(truncatingIfNeeded: ascendingCount.load())
    if end == first { return .absent(end) }
    let order = ByteView.compare(appendedKey(end &- 1), key)
    if order < 0 { return .absent(end) }
    return order == 0 ? .found(end &- 1) : searchAscending(key, first, end)
  }

  @inline(never)
  private func searchAscending(_ key: ByteView, _ first: Int, _ end: Int) -> Ascent {
    var low = first
    var high = end
    while low < high {
      let middle = (low &+ high) >> 1
      let order = ByteView.compare(appendedKey(middle), key)
      if order == 0 { return .found(middle) }
      if order < 0 { low = middle &+ 1 } else { high = middle }
    }
    return .absent(end)
  }

  /// The key of a word that is taken.
  @inline(__always)
  private func appendedKey(_ index: Int) -> ByteView {
    Record(address: Leaf.record(word(index).load())).key
  }

  /// After an append word was taken: counts it, if it is the next that ascends.
  @inline(__always)
  func noteAppended(_ index: Int, _ key: ByteView) {
    let known = ascendingCount
    let place = index &- sortedCount
    // Another thread's word may come between: then the count stays, for as long as the leaf.
    if Int(truncatingIfNeeded: known.load()) != place { return }
    if place == 0 || ByteView.compare(appendedKey(index &- 1), key) < 0 {
      known.store(UInt64(place) &+ 1)
    }
  }

  /// The index of `key` among the entries in key order; if absent, less than 0: minus one less the
  /// number of them that are below it.
  @inline(__always)
  func sortedIndex(_ key: ByteView, near: Int = -1) -> Int {
    let count = sortedCount
    if count == 0 { return -1 }
    let order = orderAgainstPrefix(key)
    if order != 0 { return order < 0 ? -1 : -1 &- count }
    let head = key.head(at: prefixCount)
    let first = firstIndex(atOrAbove: head, count, near)
    if first == count { return -1 &- count }
    if unsafe heads[first] != head { return -1 &- first }
    let after = first &+ 1
    if unsafe after < count && heads[after] == head {
      return searchAmongEqual(key, head, first, count)
    }
    let record = Record(address: Leaf.record(word(first).load()))
    unsafe prefetch(record.base + 64)
    unsafe prefetch(record.base + 128)
    return record.key == key ? first : placeBeside(first, record, key)
  }

  /// As `sortedIndex`, for a key that has the head of another.
  @inline(never)
  private func placeBeside(_ index: Int, _ record: Record, _ key: ByteView) -> Int {
    ByteView.compare(record.key, key) < 0 ? -2 &- index : -1 &- index
  }

  /// The number of heads below `head`, of `count`.
  @inline(__always)
  private func firstIndex(atOrAbove head: UInt64, _ count: Int, _ near: Int) -> Int {
    let width = 2 * LeafHint.reach
    if near >= 0 && count >= width {
      let last = count &- width
      let low = near &- LeafHint.reach
      var start = low < 0 ? 0 : low > last ? last : low
      var tries = 0
      // Mostly the first of these windows is it, or the one beside it.
      while tries < 3 {
        let window = unsafe heads + start
        if unsafe start > 0 && window[0] >= head {
          start = start > width ? start &- width : 0
        } else if unsafe start < last && window[width &- 1] < head {
          start = start &+ width < last ? start &+ width : last
        } else {
          return unsafe start &+ lowerBound(window, width, head)
        }
        tries &+= 1
      }
    }
    return unsafe lowerBound(heads, count, head)
  }

  /// Several keys may share a head: compares in full, by halves.
  @inline(never)
  private func searchAmongEqual(_ key: ByteView, _ head: UInt64, _ first: Int, _ count: Int) -> Int
  {
    var low = first
    var high = first &+ 1
    while high < count, unsafe heads[high] == head { high &+= 1 }
    while low < high {
      let middle = (low &+ high) >> 1
      let record = Record(address: Leaf.record(word(middle).load()))
      let order = ByteView.compare(key, record.key)
      if order == 0 { return middle }
      if order > 0 { low = middle &+ 1 } else { high = middle }
    }
    return -1 &- low
  }
}

/// Negative when `key` is below all keys with this prefix, positive when above, else 0.
@inline(never)
func comparePrefix(_ key: ByteView, _ prefix: ByteView) -> Int {
  let shorter = key.count < prefix.count ? key.count : prefix.count
  return unsafe compareBytes(key.base, shorter, prefix.base, prefix.count)
}
