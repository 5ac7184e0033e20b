import EngineAdapters
import EngineKit
import HistoryKit
import Platform
import Testing

/// Wrong engines that need no crash to be convicted, and controls that nothing may convict. (The
/// others are convicted under simulation.)
@Suite struct WrongEngineTests {
  /// Loads, reads, overwrites, scans, closes and opens again; what the standard checkers say.
  private func convicted(_ factory: any EngineFactory) throws -> [String] {
    let platform = PlatformServices.inMemory()
    let judge = Judge(
      checkers: CheckerRegistry.standard.map { $0.make() }, capabilities: factory.capabilities,
      contract: factory.faultContract)
    var step = 0
    for round in 0..<3 as Range<UInt8> {
      let engine = try factory.open("/database", on: platform, settings: EngineSettings())
      judge.opened(nil, step: step)
      judge.recovered(try RecoveredState(of: engine), step: step)
      var operations: [Operation] = [.nextID, .nextID]
      for key in 0..<20 as Range<UInt8> {
        operations.append(.insert([round], for: [key], in: .default))
        operations.append(.get([key], in: .default))
        operations.append(.insert([round, round], for: [key], in: .default))
        operations.append(.get([key], in: .default))
      }
      operations.append(.scan(.all, .backward, limit: 5, in: .default))
      operations.append(.flush)
      for operation in operations {
        step += 1
        let call = judge.invoked(client: 0, operation, step: step)
        judge.returned(call, engine.perform(operation), step: step)
      }
      judge.inspected(try engine.checkInvariants(), step: step)
      try engine.close()
      judge.closed(nil, step: step)
    }
    return judge.violations.map(\.property)
  }

  @Test(arguments: [
    "stale-reads", "skips-key-in-reverse", "repeats-identifiers", "recovers-differently",
    "fails-without-cause", "breaks-invariants",
  ])
  func defectsAreConvictedByTheCheckerMeantForThem(_ name: String) throws {
    let engine = try #require(EngineRegistry.wrong.first { $0.name == name })
    let found = try convicted(engine)
    for property in engine.convictedBy where property != "recovery-idempotence" {
      #expect(found.contains(property), "\(name): \(found)")
    }
  }

  @Test func controlsAreNotConvicted() throws {
    for engine in EngineRegistry.controls { #expect(try convicted(engine) == []) }
    #expect(try convicted(ReferenceEngineFactory()) == [])
  }

  @Test func everyCheckerHasAWrongEngine() {
    let meant = EngineRegistry.wrong.flatMap(\.convictedBy)
    for plan in CheckerRegistry.all { #expect(meant.contains(plan.name), "\(plan.name)") }
  }

  @Test func namesAreUniqueAndFound() {
    let names = EngineRegistry.all.map(\.name)
    #expect(Set(names).count == names.count)
    for name in names { #expect(EngineRegistry.named(name)?.name == name) }
    #expect(EngineRegistry.named("nonesuch") == nil)
  }
}
