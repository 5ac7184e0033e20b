internal import EngineKit
internal import HistoryKit
internal import Platform

/// What the runs of scenarios and of concurrent programs have in common.
extension TapeResult {
  /// The directory is there, and durable, before the first life; what is in it is the engine's affair.
  mutating func makeDirectory(_ path: String, on disk: SimulatedDisk, _ simulation: Simulation) {
    let files = disk.mount(simulation)
    do throws(PlatformError) {
      try files.createDirectory(path)
      try files.syncDirectory("/")
    } catch {
      inconclusive = "the simulated disk has no directory: \(error)"
    }
    files.end()
  }

  /// Takes down what happened in a simulation that has ended.
  ///
  /// - Parameter places: the engine's fault points that count, with how often they did.
  mutating func collect(
    _ simulation: Simulation, _ options: TapeOptions,
    places: KeyPath<SimulationCounters, [(name: String, count: Int)]>, _ history: History
  ) {
    counters.tapes = 1
    counters.threadSwitches = Int(clamping: simulation.threadSwitches)
    for (index, fault) in FaultClass.allCases.enumerated() {
      counters.faults[index] = simulation.faults.counts[fault.ordinal]
    }
    if options.keepsEvents || !failures.isEmpty { self.history = history }
    if options.isHasty { return }
    let happened = simulation.counters
    counters.probes = NamedCount.merge(
      counters.probes, happened.probes.map { NamedCount($0.name, $0.count) })
    counters.faultPoints = NamedCount.merge(
      counters.faultPoints, happened[keyPath: places].map { NamedCount($0.name, $0.count) })
    traceHash = simulation.trace.hash.description
    choices = simulation.tape.recorded
    if options.keepsEvents { events = simulation.trace.events.map(\.description) }
  }
}
