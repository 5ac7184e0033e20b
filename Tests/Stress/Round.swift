import Luge
import Platform

/// One opening of the database: threads at work on it for some seconds, then everything compared with what they
/// say they did; the database closed, or dropped, and opened again, and everything compared once more.
struct Round: Sendable {
  let number: Int
  let seconds: Int
  let options: StressOptions
  let truth: Truth
  let failures: Failures
  let platform: PlatformServices
  let directory: String

  /// Small everything: so that pages are split, merged, evicted, moved and recycled all the time.
  private var configuration: Configuration {
    var configuration = Configuration()
    configuration.flushInterval = 20_000_000
    configuration.checkpointInterval = 256 << 10
    configuration.redoSegmentSize = 64 << 10
    configuration.pageSegmentSize = 256 << 10
    configuration.pageBufferSize = 16 << 10
    configuration.logBufferSize = 256 << 10
    configuration.maximumWriters = 16
    configuration.ordinaryCommitSize = 1024
    configuration.pageSize = 2048
    configuration.leafEntries = 16
    configuration.leafAppendSlots = 4
    configuration.chunkPages = 8
    configuration.identifierReservation = 64
    configuration.maximumOpenSegments = 8
    configuration.batchLossesBeforeGate = 2
    configuration.memoryBudget = configuration.leastMemoryBudget + 640 << 10
    return configuration
  }

  func run() throws -> RoundTotals {
    var totals = RoundTotals()
    let database = try openAgain()
    let trees = try Trees(database)
    check(trees, "after opening")
    let handover = Handover(platform.threads)
    let stop = AtomicWord(0)
    let tallies = Words(2 * options.threads)
    var threads: [ThreadID] = []
    for thread in 0..<options.threads {
      threads.append(
        try platform.threads.spawn("stress-\(thread)") {
          var worker = Worker(thread, self, database, trees, handover)
          worker.run(until: stop)
          tallies.store(2 * thread, UInt64(worker.operations))
          tallies.store(2 * thread + 1, UInt64(worker.refusals))
        })
    }
    try platform.clock.sleep(nanoseconds: UInt64(seconds) * 1_000_000_000)
    stop.store(1)
    for thread in threads { try platform.threads.join(thread) }
    for thread in 0..<options.threads {
      totals.operations += Int(tallies.load(2 * thread))
      totals.refusals += Int(tallies.load(2 * thread + 1))
    }
    check(trees, "with nobody at work")
    let report = try database.verify()
    for problem in report.problems { failures.add("verify: \(problem)") }
    let statistics = try database.statistics()
    totals.evictions = statistics.evictions
    totals.pageIns = statistics.pageIns
    try end(database, trees, handover)
    return totals
  }

  /// Every second round ends with a close, the others with a flush and a database that is let go of.
  private func end(_ database: Database, _ trees: Trees, _ handover: Handover) throws {
    let view = try HeldView(trees.keys, Bytes.key(1, Worker.prefix))
    if number % 2 == 0 {
      try database.flush()
    } else {
      try database.close()
      do throws(LugeError) {
        _ = try trees.keys.count()
        failures.add("a closed database answers")
      } catch {
        if error.code != .closed { throw error }
      }
    }
    // What is held outlives the database.
    if let view, !view.isUnchanged { failures.add("a view has changed when the database closed") }
    if let last = try handover.exchange(nil), !last.isUnchanged {
      failures.add("a view that was handed on has changed when the database closed")
    }
  }

  /// A database that was dropped without a close is locked until its threads have noticed.
  private func openAgain() throws -> Database {
    var attempt = 0
    while true {
      do throws(LugeError) {
        return try Database.open(
          at: directory, configuration: configuration, platform: platform)
      } catch {
        if error.code != .locked || attempt == 2000 { throw error }
        attempt += 1
        try platform.clock.sleep(nanoseconds: 5_000_000)
      }
    }
  }

  // MARK: What must be there while nobody writes

  private func check(_ trees: Trees, _ when: String) {
    do {
      try checkKeys(trees)
      try checkShared(trees)
    } catch { failures.add("\(when): \(error)") }
  }

  private func checkKeys(_ trees: Trees) throws {
    var expected: [Entry] = []
    for index in 0..<options.keys {
      let version = truth.done.load(index)
      if version == 0 || Truth.isRemoval(version) { continue }
      expected.append(
        Entry(key: Bytes.key(index, Worker.prefix), value: Bytes.value(index, version)))
    }
    let found = try trees.keys.entries(in: .prefix([Worker.prefix]))
    if found == expected { return }
    let place = zip(found, expected).enumerated().first { $0.element.0 != $0.element.1 }?.offset
    failures.add(
      "round \(number): \(found.count) entries, not \(expected.count); first difference "
        + "at \(place.map { "\(found[$0].key), not \(expected[$0].key)" } ?? "the end")")
  }

  private func checkShared(_ trees: Trees) throws {
    for index in 0..<options.counters {
      let value = try trees.second.value(forKey: Bytes.key(index, Worker.counterPrefix))
      let found = value.map { Bytes.number($0) } ?? 0
      if found != truth.raised.load(index) {
        failures.add("counter \(index) is \(found), not \(truth.raised.load(index))")
      }
    }
    for group in 0..<options.groups {
      let values = try (0..<Worker.groupSize).map {
        try ($0 & 1 == 0 ? trees.keys : trees.second).value(forKey: Worker.groupKey(group, $0))
      }
      if values.contains(where: { $0 != values[0] }) {
        failures.add("group \(group) is torn")
      }
    }
    var left = 0
    for id in 0..<min(truth.pushed.load(), UInt64(options.queue))
    where truth.popped.load(Int(id)) == 0 {
      left += 1
      if try !trees.queue.contains(Bytes.bytes(id)) { failures.add("\(id) left the queue") }
    }
    let count = try trees.queue.count()
    if count != left { failures.add("the queue has \(count) entries, not \(left)") }
  }
}

/// What a round did.
struct RoundTotals: CustomStringConvertible {
  var operations = 0
  var refusals = 0
  var evictions = 0
  var pageIns = 0

  mutating func add(_ other: RoundTotals) {
    operations += other.operations
    refusals += other.refusals
    evictions += other.evictions
    pageIns += other.pageIns
  }

  var description: String {
    "\(operations) operations, \(evictions) evictions, \(pageIns) page-ins, "
      + "\(refusals) writes refused for memory"
  }
}
