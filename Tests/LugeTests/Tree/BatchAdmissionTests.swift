import Platform
import Synchronization
import Testing

@testable import Luge

@Suite struct BatchAdmissionTests {
  /// Time that stands still, so that nobody's patience ends.
  private struct StandingClock: Clock {
    func now() -> Instant { Instant(nanoseconds: 1) }
    func sleep(nanoseconds: UInt64) throws(PlatformError) {}
  }

  /// An older batch that has installed one record and goes no further.
  private static func installOlder(
    _ tree: BLinkTree, _ key: [UInt8]
  ) throws -> (descriptor: CommitDescriptor, record: Record) {
    let context = tree.context
    let age = context.nextBatchAge()
    let admitted = try context.admit(64)
    defer { context.leave(admitted) }
    let pin = try context.epochs.pin()
    defer { pin.end() }
    let descriptor = CommitDescriptor.build(pin, age: age)
    let record = unsafe key.withUnsafeBytes {
      unsafe Record.build(
        pin, version: descriptor.address | VersionWord.transaction, key: ByteView($0), value: nil)
    }
    var path = BatchPath()
    guard case .installed = try tree.installUndecided(record, age, &path, pin) else {
      throw LugeError(.closed, "not installed")
    }
    return (descriptor, record)
  }

  /// A batch that waits for an older one must not hold the log room that the older one may need to
  /// try again.
  @Test func aWaitingBatchHoldsNoLogRoom() throws {
    let world = try TreeWorld(
      clock: StandingClock(), threads: HookedThreads(mostBackOffs: 2000))
    let context = world.context
    let tree = try world.tree()
    let value = [UInt8](repeating: 7, count: context.log.largestPiece - 64)
    let outcome = Mutex<String?>("unfinished")
    let (descriptor, record) = try Self.installOlder(tree, [1])
    let waiting = try world.platform.threads.spawn("waiting") {
      do {
        var batch = try BatchCommit(context, [BatchWrite(tree: tree, key: [1], value: value)])
        _ = try batch.commit()
        outcome.withLock { $0 = nil }
      } catch { outcome.withLock { $0 = "\(error)" } }
    }
    try RealClock().sleep(nanoseconds: 100_000_000)
    #expect(outcome.withLock { $0 } == "unfinished")
    // What the older batch does for another try.
    do {
      context.leave(try context.admit(context.log.largestPiece, passingGate: true))
    } catch { Issue.record("no room: \(error)") }
    descriptor.abort()
    record.version.store(VersionWord.aborted)
    try world.platform.threads.join(waiting)
    #expect(outcome.withLock { $0 } == nil)
    #expect(try tree.get([1]) == value)
    let pin = try context.epochs.pin()
    descriptor.retire(pin)
    pin.end()
    try tree.destroy()
  }

  /// A thread that has stopped in the middle of its batch holds up the younger ones for a while
  /// only.
  @Test func aStoppedBatchIsAbortedInTheEnd() throws {
    let world = try TreeWorld()
    let tree = try world.tree()
    let (descriptor, record) = try Self.installOlder(tree, [1])
    var batch = try BatchCommit(world.context, [BatchWrite(tree: tree, key: [1], value: [5])])
    _ = try batch.commit()
    #expect(try tree.get([1]) == [5])
    #expect(descriptor.word.load() == VersionWord.aborted)
    let pin = try world.context.epochs.pin()
    descriptor.retire(pin)
    pin.end()
    // The stopped thread would have done this; the record itself is retired by now.
    _ = record
    try tree.destroy()
  }

  /// An older batch takes what a younger one has installed.
  @Test func theYoungerGivesWay() throws {
    let world = try TreeWorld()
    let tree = try world.tree()
    let context = world.context
    let (younger, record) = try Self.installOlder(tree, [1])
    let admitted = try context.admit(64)
    let pin = try context.epochs.pin()
    let key: [UInt8] = [1]
    let own = CommitDescriptor.build(pin, age: 0)
    let mine = unsafe key.withUnsafeBytes {
      unsafe Record.build(
        pin, version: own.address | VersionWord.transaction, key: ByteView($0), value: nil)
    }
    record.version.store(younger.address | VersionWord.transaction)
    var path = BatchPath()
    let step = try tree.installUndecided(mine, 0, &path, pin)
    guard case .installed = step else {
      Issue.record("\(step)")
      return
    }
    #expect(younger.word.load() == VersionWord.aborted)
    own.abort()
    mine.version.store(VersionWord.aborted)
    own.retire(pin)
    younger.retire(pin)
    pin.end()
    context.leave(admitted)
    #expect(try tree.get([1]) == nil)
    try tree.destroy()
  }
}
