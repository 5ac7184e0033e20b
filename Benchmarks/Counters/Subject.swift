import Luge
import Platform
import SimulationKit

/// A database in memory and the operations on it.
struct Subject {
  let files: CountingFileSystem
  private let database: Database
  private let tree: Tree
  private let entries: Int
  private var key = [UInt8](repeating: 0, count: 16)
  private var value = [UInt8](repeating: 0, count: 100)
  private var met = 0

  init(entries: Int, isLoaded: Bool) throws {
    var platform = PlatformServices.inMemory()
    files = CountingFileSystem(platform.files)
    platform.files = files
    var configuration = Configuration()
    configuration.backgroundWork = .manual
    database = try Database.open(at: "/counters", configuration: configuration, platform: platform)
    tree = database.defaultTree
    self.entries = entries
    if isLoaded {
      for index in 0..<entries { try put(index, version: 0) }
      try database.checkpoint()
    }
  }

  /// The finalizer of SplitMix64: a bijection, so that keys differ.
  private static func mix(_ value: UInt64) -> UInt64 {
    var bits = value &+ 0x9E37_79B9_7F4A_7C15
    bits = (bits ^ (bits >> 30)) &* 0xBF58_476D_1CE4_E5B9
    bits = (bits ^ (bits >> 27)) &* 0x94D0_49BB_1331_11EB
    return bits ^ (bits >> 31)
  }

  private mutating func setKey(_ first: UInt64, _ second: UInt64) {
    for place in 0..<8 {
      key[place] = UInt8(truncatingIfNeeded: first >> (56 - 8 * UInt64(place)))
      key[8 + place] = UInt8(truncatingIfNeeded: second >> (56 - 8 * UInt64(place)))
    }
  }

  private mutating func setKey(_ index: Int) { setKey(Self.mix(UInt64(index)), UInt64(index)) }

  private mutating func put(_ index: Int, version: UInt64) throws {
    setKey(index)
    try putValue(index, version: version)
  }

  private mutating func putValue(_ index: Int, version: UInt64) throws {
    for place in 0..<8 {
      value[place] = UInt8(truncatingIfNeeded: UInt64(index) >> (8 * UInt64(place)))
      value[8 + place] = UInt8(truncatingIfNeeded: version >> (8 * UInt64(place)))
    }
    try unsafe tree.setValue(value.span.bytes, forKey: key.span.bytes)
  }

  /// The index of the n-th operation: entries in no order.
  private func index(_ number: Int) -> Int { Int(Self.mix(UInt64(number) << 32) % UInt64(entries)) }

  mutating func perform(_ operation: Operation, _ count: Int) throws {
    switch operation {
    case .get: try measuredGets(count)
    case .copy: try measuredCopies(count)
    case .insert: try measuredInserts(count)
    case .append: try measuredAppends(count)
    case .update: try measuredUpdates(count)
    case .remove: try measuredRemovals(count)
    case .scan: try measuredScans(count)
    case .range100: try measuredRanges(count)
    case .batch100: try measuredBatches(count)
    case .commit: try measuredCommits(count)
    case .nextID: try measuredIdentifiers(count)
    case .checkpoint:
      try measuredUpdates(count)
      try database.checkpoint()
    }
  }

  /// That the operations did what they are there for; a wrong count ends the program.
  mutating func check(_ operation: Operation, _ count: Int) throws {
    let left = try tree.count()
    let expected: (met: Int, left: Int)
    switch operation {
    case .get, .copy, .scan, .range100, .nextID: expected = (count, entries)
    case .insert, .append: expected = (0, count)
    case .remove: expected = (0, entries - count)
    case .update, .commit, .batch100, .checkpoint: expected = (0, entries)
    }
    precondition(met == expected.met, "met \(met), not \(expected.met)")
    precondition(left == expected.left, "\(left) entries left, not \(expected.left)")
  }

  @inline(never) private mutating func measuredGets(_ count: Int) throws {
    for number in 0..<count {
      let index = index(number)
      setKey(index)
      let size = try unsafe tree.withValue(forKey: key.span.bytes) { $0.byteCount }
      if size == 100 { met += 1 }
    }
  }

  @inline(never) private mutating func measuredCopies(_ count: Int) throws {
    for number in 0..<count {
      let index = index(number)
      setKey(index)
      if let found = try tree.value(forKey: key), found[0] == UInt8(truncatingIfNeeded: index) {
        met += 1
      }
    }
  }

  @inline(never) private mutating func measuredInserts(_ count: Int) throws {
    for number in 0..<count { try put(number, version: 0) }
  }

  @inline(never) private mutating func measuredAppends(_ count: Int) throws {
    for number in 0..<count {
      setKey(UInt64(number), 7)
      try putValue(number, version: 0)
    }
  }

  @inline(never) private mutating func measuredUpdates(_ count: Int) throws {
    for number in 0..<count { try put(index(number), version: UInt64(number) + 1) }
  }

  @inline(never) private mutating func measuredRemovals(_ count: Int) throws {
    for number in 0..<count {
      // Steps of a prime: each entry once, in another order than they came.
      setKey(number * 7_368_787 % entries)
      try unsafe tree.discardValue(forKey: key.span.bytes)
    }
  }

  @inline(never) private mutating func measuredScans(_ count: Int) throws {
    while met < count {
      var cursor = tree.cursor()
      while met < count, try cursor.moveNext() {
        if cursor.key.byteCount == 16, cursor.value.byteCount == 100 { met += 1 }
      }
    }
  }

  @inline(never) private mutating func measuredRanges(_ count: Int) throws {
    var number = 0
    while met < count {
      setKey(index(number))
      number += 1
      var cursor = tree.cursor(in: .from(key))
      var left = min(100, count - met)
      while left > 0, try cursor.moveNext() {
        if cursor.key.byteCount == 16, cursor.value.byteCount == 100 { met += 1 }
        left -= 1
      }
    }
  }

  @inline(never) private mutating func measuredBatches(_ count: Int) throws {
    for first in stride(from: 0, to: count, by: 100) {
      var batch = WriteBatch()
      for number in first..<min(first + 100, count) {
        setKey(index(number))
        value[8] = UInt8(truncatingIfNeeded: number)
        value[9] = UInt8(truncatingIfNeeded: number >> 8)
        unsafe batch.updateValue(value.span.bytes, forKey: key.span.bytes, in: tree)
      }
      try database.apply(batch)
    }
  }

  @inline(never) private mutating func measuredCommits(_ count: Int) throws {
    for number in 0..<count {
      try put(index(number), version: UInt64(number) + 1)
      try database.flush()
    }
  }

  @inline(never) private mutating func measuredIdentifiers(_ count: Int) throws {
    var former: UInt64?
    for _ in 0..<count {
      let id = try database.nextID()
      if former.map({ $0 < id }) ?? true { met += 1 }
      former = id
    }
  }
}
