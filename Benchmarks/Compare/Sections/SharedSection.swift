/// `load_seq` on a database of its own, then the workloads from `load_rand` to `delete_rand` one after the
/// other on one database of each engine: an engine meets each in the state that the former ones left.
enum SharedSection {
  static func run(_ section: Section) throws {
    let options = section.options
    if options.workloads.contains(.loadSequential) { try step(.loadSequential, 1, section) }
    let others = Plan.shared.dropFirst().filter { options.workloads.contains($0) }
    guard !others.isEmpty else { return }
    for workload in Plan.shared.dropFirst() {
      guard options.workloads.contains(workload) || workload == .loadRandom else { continue }
      for threads in workload.threads { try step(workload, threads, section) }
    }
    for engine in section.engines { try section.drop(engine) }
  }

  private static func step(_ workload: Workload, _ threads: Int, _ section: Section) throws {
    let options = section.options
    let row = Row(workload: workload, threads: threads, entries: options.entries)
    let step = workload.step(
      entries: options.entries, threads: threads, serial: section.nextSerial(), seed: section.seed)
    let isLoad = workload == .loadSequential || workload == .loadRandom
    let isChosen = options.workloads.contains(workload)
    let peers = options.peers(of: workload)
    var taking = section.engines.filter { $0 == Engines.luge || peers.contains($0) }
    if workload == .nextID {
      taking = taking.filter { Engines.can($0, .identifiers) }
      // The limit, right before: it drifts with the places of the threads on the machine.
      let each = step.operations ?? Step.identifiersOfThread
      let bare = try section.worker(Engines.bare).ask(.bareCounter(threads: threads, each: each))
      try section.note(row, Engines.bare, bare)
      // What other workloads have written is not to be synced for the first ids.
      for engine in taking { try section.worker(engine).ask(.settle) }
    }
    if !isLoad { return try section.measure(row, step, among: taking) }
    // Every engine is loaded, also one that takes part in later workloads only.
    try section.each(row, among: workload == .loadRandom ? section.engines : taking) { engine in
      try section.open(engine)
      let measurement = try section.worker(engine).ask(.run(step))
      if isChosen, taking.contains(engine) {
        let live = Double(options.entries * step.shape.entrySize)
        try section.note(
          row, engine, measurement, ["residentOfLive": Double(measurement.residentBytes) / live])
      }
      if workload == .loadSequential {
        try section.drop(engine)
      } else {
        try section.worker(engine).ask(.settle)
      }
    }
  }
}
