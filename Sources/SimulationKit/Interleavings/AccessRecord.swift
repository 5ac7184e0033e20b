/// What threads did at each of their points, in the order in which it happened: so that of two schedules it can be
/// told that they come to the same.
///
/// A *step* is what a thread does from one of its points to the next: the access that the point comes before, and
/// what else it touches until then. Two steps of different threads *conflict* when their order may matter: both touch
/// one place, and one of them writes it or frees it; both go to the disk; one begins a call and the other ends one,
/// which is what the judge looks at; or one of them is something that anything may depend on (waiting, waking).
/// Schedules in which all that conflicts comes in the same order are equivalent (Mazurkiewicz), so one of them is
/// enough.
///
/// Addresses mean something within one record only: another run has others.
struct AccessRecord {
  struct Effects: OptionSet {
    var rawValue: UInt8
    static let writes = Effects(rawValue: 1)
    static let disk = Effects(rawValue: 2)
    static let invocation = Effects(rawValue: 4)
    static let answer = Effects(rawValue: 8)
    static let everything = Effects(rawValue: 16)
  }

  /// One step.
  struct Access {
    var thread: UInt64
    /// 0: no word.
    var address: UInt
    var effects: Effects
    /// Another thread of the program could have run instead.
    var hadChoice: Bool
    /// What else it touched, in `places`.
    var firstPlace: Int
    var placeCount = 0
  }

  /// A run of bytes that a step touched besides.
  private struct Place {
    var lower: UInt
    var bytes: UInt
    var writes: Bool

    @inline(__always)
    func overlaps(_ address: UInt, _ bytes: UInt) -> Bool {
      address < lower &+ self.bytes && lower < address &+ bytes
    }
  }

  var isOn = false
  private(set) var accesses: [Access] = []
  private var places: [Place] = []

  private static let wordBytes: UInt = 8

  /// One entry for each point, made when the thread goes on after it.
  mutating func note(_ thread: UInt64, _ address: UInt, _ effects: Effects, hadChoice: Bool) {
    accesses.append(
      Access(
        thread: thread, address: address, effects: effects, hadChoice: hadChoice,
        firstPlace: places.count))
  }

  /// A seam call that is no access to a word.
  mutating func note(_ thread: UInt64, call: StaticString, hadChoice: Bool) {
    note(thread, 0, AccessRecord.effects(of: call), hadChoice: hadChoice)
  }

  /// What the running thread has done since its last point does this too.
  mutating func mark(_ effects: Effects) {
    if accesses.isEmpty { return }
    accesses[accesses.count - 1].effects.formUnion(effects)
  }

  /// The running thread has touched this since its last point.
  mutating func touch(_ address: UInt, bytes: UInt = wordBytes, writes: Bool) {
    if accesses.isEmpty { return }
    let last = accesses.count - 1
    if accesses[last].address == address && !writes { return }
    if let known = places.last, accesses[last].placeCount > 0, known.lower == address,
      known.bytes == bytes, known.writes || !writes
    {
      return
    }
    places.append(Place(lower: address, bytes: bytes, writes: writes))
    accesses[last].placeCount += 1
  }

  /// Leaves out what other threads did.
  mutating func keep(_ isMeant: (UInt64) -> Bool) { accesses.removeAll { !isMeant($0.thread) } }

  /// Whether two steps of different threads, by their numbers, do.
  func conflict(_ one: Int, _ other: Int) -> Bool {
    let (left, right) = (accesses[one], accesses[other])
    if left.effects.contains(.everything) || right.effects.contains(.everything) { return true }
    if left.effects.contains(.disk) && right.effects.contains(.disk) { return true }
    if left.effects.contains(.invocation) && right.effects.contains(.answer) { return true }
    if left.effects.contains(.answer) && right.effects.contains(.invocation) { return true }
    let leftWrites = left.effects.contains(.writes)
    let rightWrites = right.effects.contains(.writes)
    if left.address != 0 && left.address == right.address && (leftWrites || rightWrites) {
      return true
    }
    if left.placeCount == 0 && right.placeCount == 0 { return false }
    return placesConflict(left, right) || wordConflicts(left, right) || wordConflicts(right, left)
  }

  private func placesConflict(_ left: Access, _ right: Access) -> Bool {
    var l = left.firstPlace
    while l < left.firstPlace + left.placeCount {
      let one = places[l]
      var r = right.firstPlace
      while r < right.firstPlace + right.placeCount {
        let other = places[r]
        if (one.writes || other.writes) && one.overlaps(other.lower, other.bytes) { return true }
        r += 1
      }
      l += 1
    }
    return false
  }

  /// The word of the one step with the further places of the other.
  private func wordConflicts(_ one: Access, _ other: Access) -> Bool {
    if one.address == 0 { return false }
    let writes = one.effects.contains(.writes)
    var number = other.firstPlace
    while number < other.firstPlace + other.placeCount {
      let place = places[number]
      if (writes || place.writes) && place.overlaps(one.address, AccessRecord.wordBytes) {
        return true
      }
      number += 1
    }
    return false
  }

  /// Names of places have a dot: nothing happens there where nothing fails.
  private static func effects(of call: StaticString) -> Effects {
    switch call.description {
    case "operation": return .invocation
    case "backOff", "join", "park", "sleep", "spawn": return .everything
    case let name: return name.utf8.contains(0x2E) ? [] : .disk
    }
  }
}

/// A record as `PairExploration` asks for it: one thread runs, then the other, then the first one again. Steps are
/// told by their numbers in the record.
struct PairRecord {
  private let record: AccessRecord

  init(_ record: AccessRecord) { self.record = record }

  /// Of the thread that began.
  private var first: UInt64 { record.accesses.first?.thread ?? 0 }

  /// The uninterrupted stretches, in order: of the one thread, of the other, and so on.
  func stretch(_ number: Int) -> Range<Int> {
    let accesses = record.accesses
    var begin = 0
    var left = number
    while true {
      var end = begin
      while end < accesses.count && accesses[end].thread == accesses[begin].thread { end += 1 }
      if left == 0 || begin == end { return begin..<end }
      left -= 1
      begin = end
    }
  }

  /// A step of a thread by its number among its own, from 1 up.
  func step(_ number: Int, ofFirst: Bool) -> Int? {
    let accesses = record.accesses
    var left = number
    var place = 0
    while place < accesses.count {
      if (accesses[place].thread == first) == ofFirst {
        left -= 1
        if left == 0 { return place }
      }
      place += 1
    }
    return nil
  }

  /// The first step of `range` that conflicts with `step`.
  func firstConflict(of step: Int, in range: Range<Int>) -> Int? {
    var place = range.lowerBound
    while place < range.upperBound {
      if record.conflict(step, place) { return place }
      place += 1
    }
    return nil
  }
}
