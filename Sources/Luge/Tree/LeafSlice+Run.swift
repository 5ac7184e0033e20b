internal import Platform

// Putting the first records of a slice into a run, for a scan that goes up: all that it does for each
// entry before the caller sees it.

extension LeafSlice {
  /// Writes the first addresses into run 0, from index `start` on, at most `room`. Answers how many.
  ///
  /// Settled words are shown as they are by every snapshot that is not older than the leaf knows;
  /// appended records are looked at here, because their keys had to be; the rest is marked.
  func fillUp(_ reader: Reader, from start: Int, room: Int, at snapshot: UInt64) -> Int {
    let words = unsafe UnsafeRawPointer(leaf.words)
    let heads = unsafe leaf.heads
    let slots = unsafe reader.slots(0)
    let mark = snapshot >= leaf.settledBelow ? 0 : Reader.unlooked
    let limit = start &+ room
    var index = first
    var next = 0
    var place = start
    while next < appendedCount && place < limit {
      let candidate = unsafe appended[next]
      let stop = min(end, index &+ (limit &- place))
      while index < stop {
        let head = unsafe heads[index]
        if head >= candidate.head {
          if head > candidate.head
            || !LeafSlice.isBelow(Leaf.record(leaf.word(index).load()), candidate.record)
          {
            break
          }
        }
        unsafe LeafSlice.copy(words, index, slots, place, mark)
        place &+= 1
        index &+= 1
      }
      if place == limit { break }
      let record = Record(address: candidate.record)
      unsafe LeafSlice.put(
        record.isShown(at: snapshot) ? record.address : record.address | Reader.unlooked, slots, place)
      place &+= 1
      next &+= 1
    }
    let stop = min(end, index &+ (limit &- place))
    while index < stop {
      unsafe LeafSlice.copy(words, index, slots, place, mark)
      place &+= 1
      index &+= 1
    }
    return place &- start
  }

  /// Writes the address of the sorted entry at `index` into the place of an index of a run.
  @unsafe @inline(__always)
  private static func copy(
    _ words: UnsafeRawPointer, _ index: Int, _ slots: UnsafeMutablePointer<UInt64>, _ place: Int,
    _ mark: UInt64
  ) {
    let word = unsafe WordRef(UnsafeMutableRawPointer(mutating: words), 8 &* index).load()
    let unsettled = ((word & Leaf.settled) >> 1) ^ 1
    unsafe put(Leaf.record(word) | unsettled | mark, slots, place)
  }

  @unsafe @inline(__always)
  private static func put(
    _ word: UInt64, _ slots: UnsafeMutablePointer<UInt64>, _ place: Int
  ) {
    unsafe WordRef(UnsafeMutableRawPointer(slots), 8 &* Reader.place(place)).store(word)
  }
}
