import Luge

// Single keys: each belongs to one thread, which alone writes it; all of them read it.

extension Worker {
  static let prefix: UInt8 = 0x6B

  /// Writes the next version of a key of this thread's, by one of the ways there are.
  mutating func writeOwnKey() throws {
    let own = random.below((options.keys - number + options.threads - 1) / options.threads)
    let index = own * options.threads + number
    guard index < options.keys else { return }
    let key = Bytes.key(index, Worker.prefix)
    let version = truth.done.load(index) + 1
    let present: [UInt8]? =
      Truth.isRemoval(version - 1) ? nil : Bytes.value(index, version - 1)
    let next: [UInt8]? = Truth.isRemoval(version) ? nil : Bytes.value(index, version)
    truth.started.store(index, version)
    let way = random.below(4)
    try write { (worker) throws in
      let tree = worker.trees.keys
      switch (way, next) {
      case (0, _):
        let result = try tree.compareExchange(key: key, expected: present, desired: next)
        if !result.exchanged || result.original != present {
          worker.fail("exchange of key \(index) to version \(version) found something else")
        }
      case (1, _):
        let result = try tree.update(forKey: key) { _ in next }
        if result.old != present || result.new != next {
          worker.fail("update of key \(index) to version \(version) found something else")
        }
      case (2, .some(let next)): try tree.setValue(next, forKey: key)
      case (2, .none): try tree.discardValue(forKey: key)
      case (_, .some(let next)):
        if try tree.updateValue(next, forKey: key) != present {
          worker.fail("the former value of key \(index) is not version \(version - 1)")
        }
      case (_, .none):
        if try tree.removeValue(forKey: key) != present {
          worker.fail("the removed value of key \(index) is not version \(version - 1)")
        }
      }
    }
    truth.done.store(index, version)
  }

  /// Reads a key of anybody's, by one of the ways there are.
  mutating func readAnyKey() throws {
    let index = random.below(options.keys)
    let key = Bytes.key(index, Worker.prefix)
    let low = truth.done.load(index)
    var value: [UInt8]?
    switch random.below(4) {
    case 0: value = try trees.keys.value(forKey: key)
    case 1: value = try trees.keys.withValue(forKey: key) { Bytes.copy($0) }
    case 2:
      if let view = try trees.keys.view(forKey: key) { value = Bytes.copy(view.bytes) }
    default:
      let isThere = try trees.keys.contains(key)
      let high = truth.started.load(index)
      let canBe = (max(low, met[index])...max(low, high, met[index])).contains {
        Truth.isRemoval($0) != isThere
      }
      if !canBe { fail("contains(\(index)) is \(isThere), versions \(low) to \(high)") }
      return
    }
    check(index, value, low, truth.started.load(index))
  }

  /// That a value, or its absence, is of a version that may be met.
  mutating func check(_ index: Int, _ value: [UInt8]?, _ low: UInt64, _ high: UInt64) {
    let low = max(low, met[index])
    var version: UInt64?
    if let value {
      version = Bytes.version(of: value, forKey: index)
      if version == nil { return fail("key \(index) has bytes that nobody wrote: \(value)") }
    }
    if let objection = Truth.objection(version, low, high) {
      return fail("key \(index) met \(objection)")
    }
    met[index] = max(met[index], version ?? (low + 4) / 5 * 5)
  }

  /// Keeps a view of a value; hands one on to another thread now and then.
  mutating func holdView() throws {
    let index = random.below(options.keys)
    guard let one = try HeldView(trees.keys, Bytes.key(index, Worker.prefix)) else { return }
    if Bytes.version(of: one.bytes, forKey: index) == nil { fail("a view of \(index) is torn") }
    if random.below(4) == 0 {
      if let other = try handedOn.exchange(one), !other.isUnchanged {
        fail("a view that was handed on has changed")
      }
    } else if held.count < 40 {
      held.append(one)
    } else {
      let place = random.below(held.count)
      if !held[place].isUnchanged { fail("a held view has changed") }
      held[place] = one
    }
  }

  mutating func holdCursor() throws {
    if cursors.count >= 2 { cursors.removeFirst() }
    let from = Bytes.key(random.below(options.keys), Worker.prefix)
    let cursor = HeldCursor(trees.keys.cursor(in: .from(from)))
    try cursor.move()
    cursors.append(cursor)
  }

  /// That what is held is as it was, and moves on.
  mutating func checkHeld() throws {
    for view in held where !view.isUnchanged { fail("a held view has changed") }
    for cursor in cursors {
      if !cursor.isUnchanged { fail("what a held cursor shows has changed") }
      try cursor.move()
    }
    cursors.removeAll { $0.isAtEnd }
  }
}
