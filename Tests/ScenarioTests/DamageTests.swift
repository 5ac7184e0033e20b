import EngineAdapters
import EngineKit
import Platform
import SimulationKit
import Testing

/// Databases that are damaged in every place, and calls that fail in turn: small portions of what `simulate damage` and
/// `simulate nth-failure` do, and who is convicted by it.
@Suite struct DamageTests {
  private func trial(_ recipe: String, _ engine: String) throws -> DamageTrial {
    try DamageTrial(
      try #require(DatabaseRecipe.named(recipe)), try #require(EngineRegistry.named(engine)))
  }

  /// One damage in so many places.
  private func outcomes(
    _ trial: DamageTrial, step: Int, _ what: Damage.Kind = .flip(bit: 0)
  ) -> [DamageOutcome: (count: Int, first: String)] {
    var outcomes: [DamageOutcome: (count: Int, first: String)] = [:]
    for (file, contents) in trial.dish.image.files.enumerated() {
      for offset in stride(from: 0, to: contents.bytes.count, by: step) {
        let kind = what == .flip(bit: 0) ? .flip(bit: offset % 7) : what
        let (outcome, detail) = trial.run(
          Damage(file: file, offset: offset, kind: kind), reopens: offset % 2 == 0)
        let first = outcomes[outcome]?.first ?? "\(contents.name), \(offset): \(detail)"
        outcomes[outcome] = ((outcomes[outcome]?.count ?? 0) + 1, first)
      }
    }
    return outcomes
  }

  @Test func theSmallDatabaseHoldsEveryKindOfRecord() throws {
    let trial = try trial("small", "luge")
    let census = trial.map.census
    for kind in try #require(EngineRegistry.named("luge")).storageKinds {
      #expect(census.contains { $0.kind == kind && $0.bytes > 0 }, "\(kind)")
    }
  }

  @Test(arguments: ["small", "closed"])
  func damageIsReportedOrHarmlessForAReason(_ recipe: String) throws {
    let trial = try trial(recipe, "luge")
    let flips = outcomes(trial, step: 131)
    #expect(flips[.wrong] == nil, "\(flips[.wrong]?.first ?? "")")
    #expect((flips[.reportedAtRead]?.count ?? 0) > 0 && (flips[.unused]?.count ?? 0) > 0)
    let cuts = outcomes(trial, step: 517, .cut)
    #expect(cuts[.wrong] == nil, "\(cuts[.wrong]?.first ?? "")")
    #expect((cuts[.reportedAtOpen]?.count ?? 0) > 0)
  }

  /// A sector that is gone takes with it what lies in it, and no other key.
  /// Of the large one the first sector of every fifth block: groups of redo begin in such.
  @Test(arguments: [("small", 512), ("closed", 512), ("large", 20480)])
  func anUnreadableSectorIsReportedForWhatNeedsIt(_ recipe: String, _ step: Int) throws {
    let found = outcomes(try trial(recipe, "luge"), step: step, .unreadable)
    #expect(found[.wrong] == nil, "\(found[.wrong]?.first ?? "")")
    #expect((found[.reportedAtRead]?.count ?? 0) > 0)
    // One copy of a superblock may be gone.
    #expect((found[.copied]?.count ?? 0) > 0)
  }

  /// Each file taken away.
  @Test(arguments: ["small", "closed"])
  func aMissingFileIsReportedOrHarmlessForAReason(_ recipe: String) throws {
    let trial = try trial(recipe, "luge")
    #expect(trial.map.missedFiles.count > 3)
    for file in trial.map.missedFiles {
      let name = trial.dish.image.files[file].name
      let (outcome, detail) = trial.run(
        Damage(file: file, offset: 0, kind: .removed), reopens: true)
      #expect(!outcome.isViolation, "\(name): \(detail)")
      if name == "SUPERBLOCK" { #expect(outcome == .reportedAtOpen) }
    }
  }

  /// Bits under a checksum that is right again: some are believed, which a flip never is, some are seen all the same.
  @Test func aForgeryIsBelievedOrReported() throws {
    let trial = try trial("small", "luge")
    let places = trial.map.sealedBytes
    var outcomes: [DamageOutcome: Int] = [:]
    for index in stride(from: 0, to: places.count, by: 61) {
      let (file, offset) = places[index]
      let bit = index % 7
      let damage = Damage(file: file, offset: offset, kind: .forge(bit: bit))
      let (outcome, detail) = trial.run(damage, reopens: index % 2 == 0)
      #expect(!outcome.isViolation, "\(trial.dish.image.files[file].name), \(offset): \(detail)")
      outcomes[outcome] = (outcomes[outcome] ?? 0) + 1
      let flip = Damage(file: file, offset: offset, kind: .flip(bit: bit))
      #expect(trial.run(flip, reopens: false).outcome != .believed)
    }
    #expect(outcomes[.believed] ?? 0 > 0 && outcomes[.reportedAtOpen] ?? 0 > 0)
    #expect(outcomes[.reportedAtRead] ?? 0 > 0)
  }

  @Test func anEngineWhoseErrorsHaveNoReasonIsConvictedOfAForgery() throws {
    let trial = try DamageTrial(try #require(DatabaseRecipe.named("small")), Unreasoned())
    let places = trial.map.sealedBytes
    let isConvicted = stride(from: 0, to: places.count, by: 61).contains { index in
      let (file, offset) = places[index]
      let damage = Damage(file: file, offset: offset, kind: .forge(bit: index % 7))
      return trial.run(damage, reopens: false).outcome.isViolation
    }
    #expect(isConvicted)
  }

  @Test func anEngineThatLooksAtNoChecksumIsConvicted() throws {
    let found = outcomes(try trial("small", "trusts-bytes"), step: 37)
    #expect((found[.wrong]?.count ?? 0) > 0)
    let right = outcomes(try trial("small", "reference"), step: 37)
    #expect(right[.wrong] == nil, "\(right[.wrong]?.first ?? "")")
  }

  // MARK: Calls that fail in turn

  private static let run = CrashRun("few", "a few of each") { run in
    for number in 0..<4 { run.put("k\(number)", bytes: 30) }
    run.flush()
    run.put("large", bytes: 200)
    run.checkpoint()
    run.put("k1")
    run.flush()
    run.reopen()
    run.get("large")
    run.put("k2")
    run.flush()
  }

  /// The first violation, and how many trials there were.
  private func failures(_ engine: String, step: Int) throws -> (first: String?, trials: Int) {
    let factory = try #require(EngineRegistry.named(engine))
    var trials = 0
    for ending in PlannedFailure.Ending.allCases {
      let opportunities = FailureTrial.opportunities(Self.run, factory, ending)
      for (kind, count) in zip(FailureKind.allCases, opportunities) {
        for number in stride(from: 1, through: count, by: step) {
          let planned = PlannedFailure(
            kind, number: number, isForGood: number % 2 == 0, ending: ending)
          let result = FailureTrial.perform(Self.run, factory, planned)
          trials += 1
          #expect(result.outcome != .notMet, "\(planned)")
          if let violation = result.violation { return ("\(planned): \(violation)", trials) }
        }
      }
    }
    return (nil, trials)
  }

  @Test(arguments: ["luge", "reference"])
  func everyCallMayFail(_ engine: String) throws {
    let (first, trials) = try failures(engine, step: 5)
    #expect(first == nil, "\(first ?? "")")
    #expect(trials > 50)
  }

  @Test(arguments: ["luge-without-sync-errors", "luge-without-write-errors"])
  func anEngineThatIsDeafToErrorsIsConvicted(_ engine: String) throws {
    #expect(try failures(engine, step: 1).first != nil)
  }
}

/// Luge, whose openings fail as if nobody knew why.
private struct Unreasoned: EngineFactory {
  private let luge = LugeEngineFactory()

  var name: String { "unreasoned" }
  var capabilities: EngineCapabilities { luge.capabilities }
  var faultContract: FaultContract { luge.faultContract }
  var faultPoints: [String] { [] }
  var probes: [String] { [] }

  func storageRegions(
    of directory: String, on platform: PlatformServices
  ) throws(EngineError) -> [StorageRegion]? {
    try luge.storageRegions(of: directory, on: platform)
  }

  func open(
    _ directory: String, on platform: PlatformServices, settings: EngineSettings
  ) throws(EngineError) -> any KeyValueEngine {
    do throws(EngineError) {
      return try luge.open(directory, on: platform, settings: settings)
    } catch { throw EngineError(.other, error.message) }
  }
}
