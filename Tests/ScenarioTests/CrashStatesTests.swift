import CrashRuns
import EngineAdapters
import EngineKit
import Platform
import SimulationKit
import Testing

/// Crash states tested like a product: wrong engines are convicted, right ones are not.
@Suite struct CrashStatesTests {
  /// So many that a run takes about a second in a debug build.
  private static func options(_ states: Int = 24, _ moments: Int = 30) -> CrashStatesOptions {
    var options = CrashStatesOptions()
    options.statesOfMoment = states
    options.moments = moments
    return options
  }

  private static func explore(
    _ run: CrashRun, _ factory: any EngineFactory, _ options: CrashStatesOptions = options()
  ) -> CrashStatesResult {
    let recorded = RunRecorder(run, factory).record()
    #expect(recorded.problem == nil, "\(run.name)")
    return CrashExploration(run.name, recorded.calls, factory, options: options).run()
  }

  @Test func theCatalogueIsInOrder() {
    let names = RunCatalogue.all.map(\.name)
    #expect(names.count == 40)
    #expect(Set(names).count == names.count)
    for run in RunCatalogue.all {
      #expect(RunCatalogue.named(run.name)?.name == run.name)
      #expect((20...90).contains(run.operationCount), "\(run.name) \(run.operationCount)")
    }
  }

  /// Each run is recorded without a fault, and together they come by what makes crashes interesting.
  @Test func theRunsReachWhatTheyAreFor() {
    var reached: Set<String> = []
    for run in RunCatalogue.all {
      let recorded = RunRecorder(run, LugeEngineFactory()).record()
      #expect(recorded.problem == nil, "\(run.name)")
      reached.formUnion(recorded.probes)
    }
    let wanted = [
      "log.pieceSpansBlocks", "log.segmentRecycled", "tree.batchApart", "value.ownSegment",
      "recovery.completed", "recovery.erasJoined",
    ]
    for name in wanted { #expect(reached.contains(name), "\(name)") }
    // Every place that no run comes by is one more than there were.
    let missed = LugeEngineFactory().probes.filter { !reached.contains($0) }
    #expect(missed.count <= 60, "\(missed)")
  }

  @Test(arguments: RunCatalogue.all.map(\.name))
  func lugeSurvives(_ name: String) throws {
    let result = Self.explore(
      try #require(RunCatalogue.named(name)), LugeEngineFactory(), Self.options(8, 12))
    #expect(result.obstacle == nil && result.failingStates == 0, "\(result.findings)")
    #expect(result.images > 5 && result.verified > 0 && result.contents > 1)
  }

  /// Which run convicts which engine.
  private static let convictions: [(engine: String, run: CrashRun, properties: [String])] = [
    ("luge-without-page-syncs", .checkpoints, ["error-contract", "durability"]),
    ("luge-without-redo-syncs", .flushedWrites, ["durability", "recovery-idempotence"]),
    ("luge-without-value-syncs", .largeValues, ["error-contract", "durability"]),
    ("luge-without-directory-syncs", .batches, ["durability", "error-contract"]),
    ("luge-without-file-syncs", .batches, ["durability", "error-contract"]),
    ("reference-without-file-syncs", .batches, ["durability"]),
    ("reference-without-directory-syncs", .batches, ["durability"]),
    ("loses-flushed-writes", .flushedWrites, ["durability"]),
    ("tears-batches", .batches, ["batch-atomicity", "durability", "prefix-durability"]),
    ("leaves-holes", .sequentialWrites, ["prefix-durability", "durability"]),
    ("recovers-differently", .flushedWrites, ["recovery-idempotence", "durability"]),
    ("breaks-invariants", .removals, ["structural-invariants"]),
  ]

  @Test(arguments: convictions.indices)
  func aWrongEngineIsConvicted(_ index: Int) throws {
    let (name, run, properties) = Self.convictions[index]
    let factory = try #require(EngineRegistry.named(name))
    let recorded = RunRecorder(run, factory).record()
    let result = CrashExploration(
      run.name, recorded.calls, factory, options: Self.options(40, 60)
    ).run()
    let finding = try #require(
      result.findings.first { properties.contains($0.property) }, "\(result.findings)")
    // The state alone fails in the same way.
    var only = Self.options()
    only.only = finding.state
    let again = CrashExploration(run.name, recorded.calls, factory, options: only).run()
    #expect(again.stateCount == 1)
    #expect(again.findings == [finding])
  }

  @Test(arguments: ["reference"] + EngineRegistry.controls.map(\.name))
  func aRightEngineIsNot(_ name: String) throws {
    let factory = try #require(EngineRegistry.named(name))
    for run in [CrashRun.batches, .checkpoints, .kills, .trees, .identifiersAndKills] {
      let result = Self.explore(run, factory)
      #expect(result.obstacle == nil && result.findings.isEmpty, "\(run.name) \(result.findings)")
    }
  }

  @Test func theSameTwice() {
    let options = Self.options(20, 20)
    let one = Self.explore(.largeValues, LugeEngineFactory(), options)
    #expect(one == Self.explore(.largeValues, LugeEngineFactory(), options))
    #expect(one.hash != Self.explore(.batches, LugeEngineFactory(), options).hash)
  }

  /// What is left out is counted, and nothing else is.
  @Test func samplesAreCounted() {
    var all = CrashStatesOptions()
    let whole = Self.explore(.flushedWrites, LugeEngineFactory(), all)
    #expect(whole.statesLeftOut == 0)
    all.statesOfMoment = 6
    let part = Self.explore(.flushedWrites, LugeEngineFactory(), all)
    #expect(part.stateCount + part.statesLeftOut == whole.stateCount)
    #expect(part.stateCount <= 6 * part.calls && part.calls == whole.calls)
    all.moments = 10
    let less = Self.explore(.flushedWrites, LugeEngineFactory(), all)
    #expect(less.stateCount + less.statesLeftOut == whole.stateCount)
    #expect(less.stateCount < part.stateCount && less.images > 10)
  }

  @Test func recoveriesAreCrashedToo() {
    var options = Self.options(10, 10)
    options.depth = 2
    options.imagesCrashed = 12
    let result = Self.explore(.kills, LugeEngineFactory(), options)
    #expect(result.findings.isEmpty && result.obstacle == nil)
    #expect(result.recoveryCalls > 40 && result.imagesInRecovery > 12)
    #expect(result.statesInRecovery > result.recoveryCalls)
    #expect(result.imagesNotCrashed == result.images - 12)
  }

  /// A run on real files and real threads, by way of a log in a file.
  @Test(arguments: ["luge", "luge-without-redo-syncs"])
  func aRealRunIsJudgedByItsLog(_ name: String) throws {
    let factory = try #require(EngineRegistry.named(name))
    let directory = "/tmp/luge-crash-states-\(RealEntropy().next())"
    let real = RealFileSystem()
    try real.createDirectory(directory)
    defer {
      for file in (try? real.list(directory)) ?? [] { try? real.remove("\(directory)/\(file)") }
      try? real.removeDirectory(directory)
    }
    let memory = CallLogMemory()
    let files = RecordingFileSystem(real, to: memory)
    var settings = CrashRun.tiny
    settings.automaticBackgroundWork = true
    settings.flushInterval = 2_000_000
    try files.recordContents(of: directory)
    try files.mark(.subject(engine: name, directory: directory, settings: settings))
    var platform = PlatformServices.real
    platform.files = files
    let engine = try factory.open(directory, on: platform, settings: settings)
    for turn in 0..<30 {
      let value = [UInt8](repeating: UInt8(turn), count: 50)
      let operation: Operation =
        turn % 5 == 4 ? .flush : .insert(value, for: [UInt8(turn % 7)], in: "")
      try files.mark(.began(call: UInt64(turn), client: 0, operation: operation))
      try files.mark(.ended(call: UInt64(turn), outcome: engine.perform(operation)))
    }
    try engine.close()
    try files.mark(.closed)
    let log = try CallLog(reading: CallLog(memory.calls).encoded)
    let result = CrashExploration("real", log.calls, factory, options: Self.options()).run()
    #expect(result.obstacle == nil && result.images > 20)
    #expect(result.findings.contains { $0.property == "durability" } == (name != "luge"))
    #expect(result.findings.isEmpty == (name == "luge"), "\(result.findings)")
  }
}
