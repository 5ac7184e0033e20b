import Foundation
import Histogram

/// What one thread does in a step. Generic, and specialised for each engine.
///
/// Every value read is checked; a wrong one throws.
struct Execution {
  let step: Step
  let thread: Int
  let loadTransaction: Int
  private let popular: [UInt32]
  private let hands: Hands
  /// Nanoseconds of the operations that were timed.
  private(set) var latencies = Histogram<UInt32>(
    highestTrackableValue: 600_000_000_000, numberOfSignificantValueDigits: .three)
  private(set) var operations = 0

  init(_ step: Step, thread: Int, loadTransaction: Int) {
    self.step = step
    self.thread = thread
    self.loadTransaction = loadTransaction
    popular = step.popular(thread)
    hands = Hands(step.shape)
  }

  /// Works; then `operations` and `latencies` tell what was done.
  mutating func run<S: EngineSession>(_ session: inout S) throws {
    switch step.action {
    case .load: try load(&session)
    case .put: try put(&session)
    case .read: try read(&session)
    case .scan: try scan(&session)
    case .range: try ranges(&session)
    case .mix: try mix(&session)
    case .batch: try batches(&session)
    case .overwrite: try overwrite(&session)
    case .remove: try remove(&session)
    case .commit: try commit(&session)
    case .identify: try identify(&session)
    }
  }

  func deallocate() { hands.deallocate() }

  // MARK: What operations are made of

  @inline(__always)
  static func now() -> UInt64 {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return UInt64(time.tv_sec) &* 1_000_000_000 &+ UInt64(time.tv_nsec)
  }

  /// Runs one operation, and times it when its number is one of those that are.
  @inline(__always)
  private mutating func timed<R>(_ number: Int, _ body: () throws -> R) throws -> R {
    guard number & (step.timedOneIn - 1) == 0 else { return try body() }
    let begun = Self.now()
    let result = try body()
    latencies.record(Self.now() &- begun)
    return result
  }

  /// Whether the time is over, looked at once in some operations.
  @inline(__always)
  private func isOver(_ number: Int, since begun: UInt64, oneIn rare: Int = 256) -> Bool {
    guard let seconds = step.seconds, number & (rare - 1) == 0 else { return false }
    return Double(Self.now() &- begun) > seconds * 1e9
  }

  // MARK: Actions

  private mutating func load<S: EngineSession>(_ session: inout S) throws {
    let hands = hands
    if loadTransaction == 1 { return try put(&session) }
    var list = EntryList(step.shape, capacity: loadTransaction)
    defer { list.deallocate() }
    for index in 0..<step.entries {
      list.append(hands.item(index))
      if list.isFull || index == step.entries - 1 {
        try timed(0) { try session.putAll(list) }
        list.removeAll()
      }
    }
    operations = step.entries
  }

  private mutating func put<S: EngineSession>(_ session: inout S) throws {
    let hands = hands
    for index in 0..<step.entries {
      try timed(index) { try hands.put(hands.item(index), &session) }
    }
    operations = step.entries
  }

  private mutating func read<S: EngineSession>(_ session: inout S) throws {
    let hands = hands
    if step.isZipfian {
      for (number, index) in popular.enumerated() {
        try timed(number) { try hands.check(hands.item(Int(index)), &session) }
      }
      operations = popular.count
      return
    }
    var draws = step.draws(thread)
    let begun = Self.now()
    for number in 0..<step.share(thread) {
      if isOver(number, since: begun) { break }
      let index = draws.below(step.entries)
      try timed(number) { try hands.check(hands.item(index), &session) }
      operations = number + 1
    }
  }

  private mutating func scan<S: EngineSession>(_ session: inout S) throws {
    for _ in 0..<step.rounds {
      var check = ScanCheck(step.shape)
      try timed(0) {
        try session.scan(from: nil) { key, value in
          try check.meet(key: key, value: value)
          return true
        }
      }
      guard check.count == step.entries else {
        throw BenchmarkError("a scan met \(check.count) of \(step.entries) entries")
      }
      operations += check.count
    }
  }

  /// A range ends where the keys do, so the last ones of all may be shorter; each begins with its key.
  private mutating func ranges<S: EngineSession>(_ session: inout S) throws {
    let hands = hands
    var draws = step.draws(thread)
    var short = 0
    for number in 0..<step.share(thread) {
      let first = hands.item(draws.below(step.entries))
      first.writeKey(to: hands.key)
      var check = ScanCheck(step.shape)
      try timed(number) {
        try session.scan(from: Bytes(hands.key)) { key, value in
          if check.count == 0, Item.indexAndVersion(value)?.index != first.index {
            throw BenchmarkError("a range did not begin with the key it was asked from")
          }
          try check.meet(key: key, value: value)
          return check.count < Step.rangeLength
        }
      }
      guard check.count > 0 else { throw BenchmarkError("a range from a present key was empty") }
      if check.count < Step.rangeLength { short += 1 }
      operations += check.count
    }
    // Of N keys in no order, only the last 99 have fewer than 100 from themselves on.
    guard short <= 8 + 8 * step.share(thread) * Step.rangeLength / step.entries else {
      throw BenchmarkError("\(short) ranges ended early")
    }
  }

  private mutating func mix<S: EngineSession>(_ session: inout S) throws {
    let hands = hands
    var draws = step.draws(thread)
    let version = step.firstVersion &+ UInt64(thread) << 20
    let begun = Self.now()
    for number in 0..<step.share(thread) {
      if isOver(number, since: begun) { break }
      let index = draws.below(step.entries)
      let isUpdate = Item.mix(UInt64(number)) % 20 < step.updatesOfTwenty
      try timed(number) {
        if isUpdate {
          try hands.put(hands.item(index, version: version &+ UInt64(number)), &session)
        } else {
          try hands.check(hands.item(index), &session)
        }
      }
      operations = number + 1
    }
  }

  private mutating func batches<S: EngineSession>(_ session: inout S) throws {
    let hands = hands
    var draws = step.draws(thread)
    var list = EntryList(step.shape, capacity: Step.batchSize)
    defer { list.deallocate() }
    for number in 0..<max(step.share(thread) / Step.batchSize, 1) {
      list.removeAll()
      for place in 0..<Step.batchSize {
        let version = step.firstVersion &+ UInt64(number * Step.batchSize + place)
        list.append(hands.item(draws.below(step.entries), version: version))
      }
      try timed(number) { try session.putAll(list) }
      operations += Step.batchSize
    }
  }

  private mutating func overwrite<S: EngineSession>(_ session: inout S) throws {
    let hands = hands
    for round in 1...step.rounds {
      let version = step.firstVersion &+ UInt64(round)
      for place in 0..<step.entries {
        let index = step.permuted(place)
        try timed(place) {
          try hands.put(hands.item(index, version: version), &session)
        }
      }
    }
    operations = step.entries * step.rounds
  }

  private mutating func remove<S: EngineSession>(_ session: inout S) throws {
    let hands = hands
    for place in 0..<step.entries {
      hands.item(step.permuted(place)).writeKey(to: hands.key)
      try timed(place) { try session.remove(Bytes(hands.key)) }
    }
    operations = step.entries
  }

  private mutating func commit<S: EngineSession>(_ session: inout S) throws {
    let hands = hands
    var draws = step.draws(thread)
    let begun = Self.now()
    for number in 0..<step.share(thread) {
      if isOver(number, since: begun, oneIn: 8) { break }
      let version = step.firstVersion &+ UInt64(thread) << 20 &+ UInt64(number)
      let item = hands.item(draws.below(step.entries), version: version)
      item.writeKey(to: hands.key)
      item.writeValue(to: hands.value)
      try timed(number) { try session.putDurably(Bytes(hands.key), Bytes(hands.value)) }
      operations = number + 1
    }
  }

  private mutating func identify<S: EngineSession>(_ session: inout S) throws {
    var former: UInt64?
    let count = step.operations ?? Step.identifiersOfThread
    for _ in 0..<count {
      let next = try session.nextID()
      if let former, next <= former { throw BenchmarkError("ids do not ascend on a thread") }
      former = next
    }
    operations = count
  }
}

/// The buffers of one thread, and what is done with them. Apart from the histogram: a closure that
/// captured both would copy it.
private struct Hands {
  let shape: Shape
  let key: UnsafeMutableRawBufferPointer
  let value: UnsafeMutableRawBufferPointer

  init(_ shape: Shape) {
    self.shape = shape
    key = .allocate(byteCount: shape.keySize, alignment: 8)
    value = .allocate(byteCount: shape.valueSize, alignment: 8)
  }

  @inline(__always)
  func item(_ index: Int, version: UInt64 = 0) -> Item { Item(shape, index, version: version) }

  @inline(__always)
  func put<S: EngineSession>(_ item: Item, _ session: inout S) throws {
    item.writeKey(to: key)
    item.writeValue(to: value)
    try session.put(Bytes(key), Bytes(value))
  }

  @inline(__always)
  func check<S: EngineSession>(_ item: Item, _ session: inout S) throws {
    item.writeKey(to: key)
    guard try session.get(Bytes(key), { try item.check($0) }) != nil else {
      throw BenchmarkError("the key of index \(item.index) was not found")
    }
  }

  func deallocate() {
    key.deallocate()
    value.deallocate()
  }
}
