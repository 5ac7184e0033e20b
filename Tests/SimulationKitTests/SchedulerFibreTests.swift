import Platform
import SimulationKit
import Testing

/// Ordinary Swift code on fibres that switch in its middle: class storage, inout, throws, closures,
/// casts. In a debug build the runtime checks every access for conflicts.
@Suite struct SchedulerFibreTests {
  private final class Account {
    var balance = 0
    var log: [String] = []
    var byName: [String: Int] = [:]
  }

  private struct Refused: Error {}

  private static func spend(_ amount: inout Int, _ simulation: Simulation) throws {
    try simulation.enter("in inout")
    amount -= 1
    if amount % 7 == 0 { throw Refused() }
  }

  @Test func switchesInTheMiddleOfOrdinaryCode() {
    for seed in UInt64(0)..<20 {
      let simulation = makeSimulation(seed, maximumQuantum: 2)
      let shared = Shared(Account())
      let end = simulation.run {
        simulation.runProcess("p") {
          let body: @Sendable () -> Void = {
            let own = Account()
            var local = 100
            for round in 0..<50 {
              try! simulation.enter("one")
              shared.value.balance += 1
              own.log.append("round \(round)")
              own.byName["k\(round % 5)", default: 0] += 1
              do {
                // A local's inout access spans the switch.
                try SchedulerFibreTests.spend(&local, simulation)
              } catch is Refused {
                own.balance += 1
              } catch {
                Issue.record("\(error)")
              }
              let numbers = [3, 1, 2].sorted {
                try! simulation.enter("in a comparison")
                return $0 < $1
              }
              #expect(numbers == [1, 2, 3])
              try! simulation.threads.backOff(attempt: 0)
            }
            #expect(own.log.count == 50 && own.byName["k3"] == 10)
            #expect(local == 50)
            #expect(own.balance == 7)
          }
          let one = try! simulation.threads.spawn("one", body)
          let two = try! simulation.threads.spawn("two", body)
          body()
          try! simulation.threads.join(one)
          try! simulation.threads.join(two)
        }
      }
      #expect(end == .finished)
      #expect(shared.value.balance == 150)
      #expect(simulation.counters.threadSwitches > 150)
    }
  }

  /// Each thread modifies its own object through an access that spans switches; the accesses end in
  /// another order than they began in.
  @Test func overlappingAccessesToDifferentObjects() {
    for seed in UInt64(0)..<20 {
      let simulation = makeSimulation(seed, maximumQuantum: 1)
      let end = simulation.runProcess("p") {
        let body: @Sendable () -> Void = {
          let own = Account()
          for _ in 0..<20 {
            do { try SchedulerFibreTests.spend(&own.balance, simulation) } catch {}
          }
          #expect(own.balance == -20)
        }
        for _ in 0..<4 { _ = try! simulation.threads.spawn("t", body) }
      }
      #expect(end == .finished)
    }
  }

  @Test func manyThreadsInTurnReleaseWhatTheyHeld() {
    weak var held: Account?
    do {
      let account = Account()
      held = account
      let simulation = makeSimulation(1)
      let end = simulation.runProcess("p") { [account] in
        let box = Shared(account)
        for _ in 0..<500 {
          let thread = try! simulation.threads.spawn("t") { box.value.balance += 1 }
          try! simulation.threads.join(thread)
        }
      }
      #expect(end == .finished)
      #expect(account.balance == 500)
    }
    #expect(held == nil)
  }
}
