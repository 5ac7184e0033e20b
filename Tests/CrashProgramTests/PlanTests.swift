import EngineKit
import Testing

@testable import CrashSupport

private struct OneInsert: CrashSubject {
  let name = "one-insert"
  let summary = "inserts"
  func operation(_ client: CrashClient, _ draw: inout CrashDraw) -> Operation {
    .insert(client.value(16 + draw.below(32)), for: client.key(draw.below(9)), in: .default)
  }
}

@Suite struct PlanTests {
  private func stream(seed: UInt64, life: Int) -> OperationStream {
    OperationStream(
      OneInsert(), [.concurrentClients, .checkpoints], seed: seed, life: life)
  }

  /// Child and supervisor draw the same operations, and other seeds, lives and clients others.
  @Test func operationsFollowFromTheirNumbers() {
    let one = stream(seed: 1, life: 4)
    let other = stream(seed: 1, life: 4)
    for number in 0..<300 {
      #expect(one.operation(number, of: 1) == other.operation(number, of: 1))
    }
    func all(_ stream: OperationStream, _ client: Int) -> [Operation] {
      (0..<50).map { stream.operation($0, of: client) }
    }
    #expect(all(one, 0) != all(one, 1))
    #expect(all(one, 0) != all(stream(seed: 2, life: 4), 0))
    #expect(all(one, 0) != all(stream(seed: 1, life: 5), 0))
  }

  /// No two writes have the same value, so that a value found says which write it is of.
  @Test func valuesAreUnlike() {
    var values: Set<Bytes> = []
    var writes = 0
    for life in 0..<4 {
      for client in 0..<3 {
        for number in 0..<200 {
          guard
            case .insert(let value, _, _) = stream(seed: 1, life: life)
              .operation(number, of: client)
          else { continue }
          writes += 1
          values.insert(value)
        }
      }
    }
    #expect(writes > 1000 && values.count == writes)
  }

  /// In 200 rounds every target is drawn, whatever the seed.
  @Test(arguments: 1...20 as ClosedRange<UInt64>) func everyTargetIsAimedAt(seed: UInt64) {
    var targets: Set<String> = []
    var recoveries = 0
    for round in 0..<200 {
      let plan = RoundPlan(seed: seed, round: round)
      targets.insert("\(plan.target)")
      recoveries += plan.recoveries.count
      if case .opening = plan.target { #expect(plan.beginsClosed) }
    }
    #expect(targets.count == 9)
    #expect(recoveries > 30)
  }

  @Test func everyRoundHasOneDirectory() {
    var next = 0
    for round in 0..<500 {
      let epoch = Epoch(seed: 7, containing: round)
      #expect(epoch.rounds.contains(round))
      if epoch.rounds.lowerBound == round {
        #expect(epoch.number == next)
        next += 1
      }
    }
    #expect(next > 10)
  }

  @Test func aPlaceThatNoKillStruckIsSaid() {
    var tally = Tally()
    for place in KillPlace.allCases { tally[place] = 1 }
    tally.rounds = 200
    #expect(tally.neverStruck(hasCheckpoints: true).isEmpty)
    tally[.checkpoint] = 0
    tally[.recovery] = 0
    #expect(tally.neverStruck(hasCheckpoints: true) == [.recovery, .checkpoint])
    #expect(tally.neverStruck(hasCheckpoints: false) == [.recovery])
    tally.rounds = 199
    #expect(tally.neverStruck(hasCheckpoints: true).isEmpty)
  }
}
