import Luge
import Platform

// What several threads write: counters, a queue, groups of keys that batches keep equal, trees, ids.

extension Worker {
  static let counterPrefix: UInt8 = 0x63
  static let groupPrefix: UInt8 = 0x67
  static let groupSize = 6
  static let doomedPrefix: UInt8 = 0x64

  mutating func raiseCounter() throws {
    let index = random.below(options.counters)
    let key = Bytes.key(index, Worker.counterPrefix)
    let byUpdate = random.bool()
    try write { (worker) throws in
      let tree = worker.trees.second
      if byUpdate {
        try tree.update(forKey: key) { old in
          guard let old else { return Bytes.bytes(1) }
          return Bytes.bytes(Bytes.number(Bytes.copy(old)) + 1)
        }
        return
      }
      while true {
        let old = try tree.value(forKey: key)
        let new = Bytes.bytes((old.map { Bytes.number($0) } ?? 0) + 1)
        if try tree.compareExchange(key: key, expected: old, desired: new).exchanged { return }
      }
    }
    _ = truth.raised.fetchAdd(index, 1)
  }

  /// Nobody takes out what another has taken, nor what was never put in.
  mutating func pushAndPop() throws {
    for _ in 0..<random.below(6) {
      let id = truth.pushed.fetchAdd(1)
      guard id < UInt64(options.queue) else { break }
      try write { (worker) throws in
        try worker.trees.queue.setValue(Bytes.bytes(id), forKey: Bytes.bytes(id))
      }
    }
    for _ in 0..<random.below(6) {
      var entry: Entry?
      let fromFront = random.bool()
      try write { (worker) throws in
        let queue = worker.trees.queue
        entry = try fromFront ? queue.popFirst() : queue.popLast()
      }
      guard let entry else { break }
      let id = Bytes.number(entry.key)
      if entry.value != entry.key || id >= truth.pushed.load() {
        return fail("the queue held what nobody put in: \(entry)")
      }
      if truth.popped.fetchAdd(Int(id), 1) != 0 { fail("\(id) came out of the queue twice") }
    }
  }

  static func groupKey(_ group: Int, _ member: Int) -> [UInt8] {
    // Far apart: in different leaves.
    Bytes.key(member << 16 | group, groupPrefix)
  }

  /// All members of a group get the same value by one batch, half of them in another tree.
  mutating func writeGroup() throws {
    let group = random.below(options.groups)
    let value = Bytes.bytes(truth.groupVersions.fetchAdd(1) + 1)
    let removes = random.below(8) == 0
    try write { (worker) throws in
      var batch = WriteBatch()
      for member in 0..<Worker.groupSize {
        let tree = member & 1 == 0 ? worker.trees.keys : worker.trees.second
        let key = Worker.groupKey(group, member)
        if removes {
          batch.removeValue(forKey: key, in: tree)
        } else {
          batch.updateValue(value, forKey: key, in: tree)
        }
      }
      try worker.database.apply(batch)
    }
  }

  mutating func readGroup() throws {
    let group = random.below(options.groups)
    let snapshot = try database.snapshot()
    var first: [UInt8]?
    for member in 0..<Worker.groupSize {
      let tree = member & 1 == 0 ? trees.keys : trees.second
      let value = try snapshot.value(forKey: Worker.groupKey(group, member), in: tree)
      if member == 0 { first = value }
      if value != first { return fail("a snapshot shows half of a batch on group \(group)") }
    }
  }

  mutating func makeAndDropTree() throws {
    let name = "own-\(number)-\(random.below(3))"
    var opened: Tree?
    try write { (worker) throws in opened = try worker.database.tree(named: name) }
    guard let tree = opened else { return }
    let count = try tree.count()
    if count != 0 {
      // Left by an earlier turn; everything in it is this thread's.
      if try tree.keys().count != count { fail("the count of \(name) is not \(count)") }
      var wasThere = false
      try write { (worker) throws in wasThere = try worker.database.dropTree(named: name) }
      if !wasThere { fail("\(name) was not there to drop") }
      do throws(LugeError) {
        _ = try tree.value(forKey: [1])
        fail("a dropped tree answers")
      } catch {
        if error.code != .treeNotFound { throw error }
      }
      return
    }
    let size = 1 + random.below(60)
    try write { (worker) throws in
      for index in 0..<size {
        try tree.setValue(Bytes.value(index, 1), forKey: Bytes.bytes(UInt64(index)))
      }
    }
    if try tree.count() != size { fail("\(name) has not \(size) entries") }
  }

  /// Batches and reads of a tree that another thread may drop at any time. A batch of removals needs all its
  /// pages in memory at once, and holds them if others evict them.
  mutating func useDoomedTree() throws {
    let name = "doomed-\(random.below(2))"
    var batch = WriteBatch()
    let drops = random.below(6) == 0
    let number = { (random: inout Random) in random.below(600) }
    do {
      var opened: Tree?
      try write { (worker) throws in
        if drops { _ = try worker.database.dropTree(named: name) }
        opened = try worker.database.tree(named: name)
      }
      guard let tree = opened else { return }
      for _ in 0..<12 {
        let index = number(&random)
        let key = Bytes.key(index, Worker.doomedPrefix)
        if random.below(3) == 0 {
          batch.removeValue(forKey: key, in: tree)
        } else {
          batch.updateValue(Bytes.value(index, UInt64(1 + random.below(9))), forKey: key, in: tree)
        }
      }
      try write { (worker) throws in try worker.database.apply(batch) }
      for _ in 0..<8 {
        let index = number(&random)
        let value = try tree.value(forKey: Bytes.key(index, Worker.doomedPrefix))
        if let value, Bytes.version(of: value, forKey: index) == nil {
          fail("\(name) has bytes of \(index) that nobody wrote")
        }
      }
    } catch let error as LugeError {
      if error.code != .treeNotFound { throw error }
    }
  }

  mutating func takeIdentifier() throws {
    for _ in 0..<20 {
      let before = truth.identifiers.load(0)
      let id = try database.nextID()
      if id <= before { fail("id \(id) came after \(before)") }
      truth.identifiers.raise(0, to: id)
    }
  }

  /// What the database's own threads do too.
  mutating func maintain() throws {
    switch random.below(12) {
    case 0: try database.checkpoint()
    case 1: _ = try database.statistics()
    case 2: _ = try trees.keys.count()
    default: try database.flush()
    }
  }
}
