import Platform
import Synchronization
import Testing

@testable import Luge

@Suite struct BatchAdmissionTests {
  /// A batch that waits for its turn must not hold the log room that the one under way needs to
  /// try again.
  @Test func aWaitingBatchHoldsNoLogRoom() throws {
    let world = try TreeWorld(threads: HookedThreads(mostBackOffs: 300))
    let context = world.context
    let tree = try world.tree()
    let value = [UInt8](repeating: 7, count: context.log.largestPiece - 64)
    let outcome = Mutex<String?>(nil)
    try context.lockBatch()
    let waiting = try world.platform.threads.spawn("waiting") {
      do {
        let writes = [BatchWrite(tree: tree, key: [1], value: value)]
        var batch = try BatchCommit(context, collapsed: writes)
        _ = try batch.commit()
      } catch { outcome.withLock { $0 = "\(error)" } }
    }
    try world.platform.clock.sleep(nanoseconds: 100_000_000)
    // What the holder of the batch lock does after a lost try.
    do {
      context.leave(try context.admit(context.log.largestPiece, passingGate: true))
    } catch { Issue.record("no room: \(error)") }
    context.unlockBatch()
    try world.platform.threads.join(waiting)
    #expect(outcome.withLock { $0 } == nil)
    #expect(try tree.get([1]) == value)
    try tree.destroy()
  }
}
