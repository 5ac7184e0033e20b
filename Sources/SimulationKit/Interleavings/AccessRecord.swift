/// What threads did at each of their points, in the order in which it happened: so that of two schedules it can be
/// told that they come to the same.
///
/// Two accesses of different threads *conflict* when their order may matter: both to one word, and one of them
/// writes; both to the disk; both the beginning or end of a call, whose order the judge looks at; or one of
/// them is something that anything may depend on (waiting, waking, freeing memory). Schedules in which all that conflicts
/// comes in the same order are equivalent (Mazurkiewicz), so one of them is enough.
struct AccessRecord {
  struct Effects: OptionSet {
    var rawValue: UInt8
    static let writes = Effects(rawValue: 1)
    static let disk = Effects(rawValue: 2)
    static let callBoundary = Effects(rawValue: 4)
    static let everything = Effects(rawValue: 8)
  }

  struct Access {
    var thread: UInt64
    /// 0: no word.
    var address: UInt
    var effects: Effects

    /// Of different threads.
    func conflicts(with other: Access) -> Bool {
      if effects.contains(.everything) || other.effects.contains(.everything) { return true }
      let both = effects.intersection(other.effects)
      if both.contains(.disk) || both.contains(.callBoundary) { return true }
      return address != 0 && address == other.address
        && (effects.contains(.writes) || other.effects.contains(.writes))
    }
  }

  var isOn = false
  private(set) var accesses: [Access] = []

  /// One entry for each point, made when the thread goes on after it.
  mutating func note(_ thread: UInt64, _ address: UInt, _ effects: Effects) {
    accesses.append(Access(thread: thread, address: address, effects: effects))
  }

  /// A seam call that is no access to a word.
  mutating func note(_ thread: UInt64, call: StaticString) {
    note(thread, 0, AccessRecord.effects(of: call))
  }

  /// What the running thread has done since its last point does this too.
  mutating func mark(_ effects: Effects) {
    if accesses.isEmpty { return }
    accesses[accesses.count - 1].effects.formUnion(effects)
  }

  /// Leaves out what other threads did.
  mutating func keep(_ isMeant: (UInt64) -> Bool) { accesses.removeAll { !isMeant($0.thread) } }

  /// Names of places have a dot: nothing happens there where nothing fails.
  private static func effects(of call: StaticString) -> Effects {
    switch call.description {
    case "operation": return .callBoundary
    case "backOff", "join", "park", "sleep", "spawn": return .everything
    case let name: return name.utf8.contains(0x2E) ? [] : .disk
    }
  }
}

/// A record as `PairExploration` asks for it: one thread runs, then the other, then the first one again.
struct PairRecord {
  private let accesses: [AccessRecord.Access]

  init(_ record: AccessRecord) { accesses = record.accesses }

  /// Of the thread that began.
  private var first: UInt64 { accesses.first?.thread ?? 0 }

  /// The uninterrupted stretches, in order: of the one thread, of the other, and so on.
  func stretch(_ number: Int) -> ArraySlice<AccessRecord.Access> {
    var begin = 0
    var left = number
    while true {
      var end = begin
      while end < accesses.count && accesses[end].thread == accesses[begin].thread { end += 1 }
      if left == 0 || begin == end { return accesses[begin..<end] }
      left -= 1
      begin = end
    }
  }

  /// An access of a thread by its number among its own, from 1 up.
  func access(_ number: Int, ofFirst: Bool) -> AccessRecord.Access? {
    var left = number
    for access in accesses where (access.thread == first) == ofFirst {
      left -= 1
      if left == 0 { return access }
    }
    return nil
  }
}
