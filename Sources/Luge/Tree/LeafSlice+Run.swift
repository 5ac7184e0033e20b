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
    let slots = unsafe reader.slots(0)
    let mark = snapshot >= leaf.settledBelow ? 0 : Reader.unlooked
    let limit = start &+ room
    var index = first
    var next = 0
    var place = start
    while next < appendedCount && place < limit {
      let candidate = unsafe appended[next]
      let begin = index
      index = below(candidate, from: index, to: min(end, index &+ (limit &- place)))
      unsafe LeafSlice.copy(words, begin, index &- begin, slots, place, mark)
      place &+= index &- begin
      if place == limit { break }
      let record = Record(address: candidate.record)
      let word = record.isShown(at: snapshot) ? record.address : record.address | Reader.unlooked
      unsafe WordRef(UnsafeMutableRawPointer(slots), 8 &* Reader.place(place)).store(word)
      place &+= 1
      next &+= 1
    }
    let rest = min(end &- index, limit &- place)
    unsafe LeafSlice.copy(words, index, rest, slots, place, mark)
    return place &+ rest &- start
  }

  /// The first sorted entry from `index` on that is above an appended one; `stop` when that lies further.
  @inline(__always)
  private func below(_ candidate: Appended, from start: Int, to stop: Int) -> Int {
    let heads = unsafe leaf.heads
    var index = start
    while index < stop {
      let head = unsafe heads[index]
      if head >= candidate.head {
        if head > candidate.head
          || !LeafSlice.isBelow(Leaf.record(leaf.word(index).load()), candidate.record)
        {
          break
        }
      }
      index &+= 1
    }
    return index
  }

  /// Writes the addresses of so many sorted entries from `index` on into a run: in one part, or in two where
  /// the ring ends between.
  @unsafe @inline(__always)
  private static func copy(
    _ words: UnsafeRawPointer, _ index: Int, _ count: Int, _ slots: UnsafeMutablePointer<UInt64>,
    _ place: Int, _ mark: UInt64
  ) {
    var (index, count, place) = (index, count, place)
    while count > 0 {
      let target = Reader.place(place)
      let part = min(count, Reader.runCapacity &- target)
      unsafe copy(words + 8 &* index, slots + target, part, mark)
      index &+= part
      place &+= part
      count &-= part
    }
  }

  @unsafe @inline(__always)
  private static func copy(
    _ words: UnsafeRawPointer, _ slots: UnsafeMutablePointer<UInt64>, _ count: Int, _ mark: UInt64
  ) {
    var index = 0
    while index < count {
      let word = unsafe WordRef(UnsafeMutableRawPointer(mutating: words), 8 &* index).load()
      // A settled word loses that bit, any other one gets it, as the mark: see `Reader.unlooked`.
      let shown = ((word & (Leaf.addressMask | Leaf.settled)) ^ Reader.unlooked) | mark
      unsafe WordRef(UnsafeMutableRawPointer(slots), 8 &* index).store(shown)
      index &+= 1
    }
  }
}
