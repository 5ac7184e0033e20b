import Platform
import Testing

@testable import Luge

@Suite struct FlushQueueTests {
  /// What a thread got.
  private static let leads: UInt64 = 1
  private static let looksAgain: UInt64 = 2

  private func role(_ role: FlushQueue.Role) -> UInt64 {
    if case .leads = role { Self.leads } else { Self.looksAgain }
  }

  /// A leader, and threads that wait for their goals, in this order.
  private func waiting(
    _ queue: FlushQueue, _ threads: RealThreads, _ goals: [UInt64], _ answers: [AtomicBox]
  ) throws -> [ThreadID] {
    var started: [ThreadID] = []
    for (index, goal) in goals.enumerated() {
      started.append(
        try threads.spawn("waiting \(index)") {
          guard let found = try? queue.enter(goal: goal) else { return }
          if case .leads = found {
            answers[index].word.store(Self.leads)
            queue.leave({ _ in true }, failed: false)
          } else {
            answers[index].word.store(Self.looksAgain)
          }
        })
      var attempt = 0
      while queue.waitingNow < index + 1 {
        try threads.backOff(attempt: attempt)
        attempt += 1
      }
    }
    return started
  }

  final class AtomicBox: Sendable {
    let word = AtomicWord(0)
  }

  @Test func whoIsDurableIsWokenAndTheOldestOtherLeads() throws {
    let threads = RealThreads()
    let queue = FlushQueue(threads: threads)
    #expect(role(try queue.enter(goal: 1)) == Self.leads)
    let answers = (0..<4).map { _ in AtomicBox() }
    let started = try waiting(queue, threads, [10, 30, 20, 40], answers)
    queue.leave({ goal in goal <= 20 }, failed: false)
    for thread in started { try threads.join(thread) }
    // The third was durable at once; the second led, and its group was for all.
    #expect(
      answers.map { $0.word.load() } == [
        Self.looksAgain, Self.leads, Self.looksAgain, Self.looksAgain,
      ])
    #expect(role(try queue.enter(goal: 50)) == Self.leads, "nobody leads any more")
  }

  @Test func aFailureWakesEverybody() throws {
    let threads = RealThreads()
    let queue = FlushQueue(threads: threads)
    #expect(role(try queue.enter(goal: 1)) == Self.leads)
    let answers = (0..<3).map { _ in AtomicBox() }
    let started = try waiting(queue, threads, [10, 20, 30], answers)
    queue.leave({ _ in false }, failed: true)
    for thread in started { try threads.join(thread) }
    #expect(answers.allSatisfy { $0.word.load() == Self.looksAgain })
    #expect(role(try queue.enter(goal: 50)) == Self.leads)
  }
}
