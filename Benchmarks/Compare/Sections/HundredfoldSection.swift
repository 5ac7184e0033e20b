/// Data a hundred times the budget, Luge alone: anonymous bytes during the load, random reads, a scan, and
/// the recovery after a kill.
enum HundredfoldSection {
  static func run(_ section: Section) throws {
    guard Engines.can(Engines.luge, .budget) else {
      return Console.note("  luge heeds no budget yet: not measured")
    }
    let options = section.options
    let budget = LargerSection.budget(options)
    let entries = 100 * budget / Shape.standard.entrySize
    var settings = EngineOptions()
    settings.cacheBytes = budget
    let engine = Engines.luge

    func row(_ variant: String) -> Row {
      Row(workload: .largerThanMemory, entries: entries, variant: "100x " + variant)
    }
    func note(_ variant: String, _ measurement: Measurement) throws {
      try section.note(
        row(variant), engine, measurement,
        [
          "residentOfBudget": Double(measurement.residentBytes) / Double(budget),
          "residentOverBudgetMiB": Double(measurement.residentBytes - budget) / 0x1p20,
        ])
    }
    func step(_ workload: Workload) -> Step {
      var step = workload.step(
        entries: entries, threads: 1, serial: section.nextSerial(), seed: section.seed)
      step.shape.order = .sequential
      return step
    }
    try section.each(row("load"), among: [engine]) { _ in
      try section.open(engine, settings)
      try note("load", try section.worker(engine).ask(.run(step(.loadSequential))))
      var reads = step(.readRandom)
      reads.operations = min(1_000_000, options.entries)
      try note("reads", try section.worker(engine).ask(.run(reads)))
      try note("scan", try section.worker(engine).ask(.run(step(.scan))))
      section.killWorker(engine)
      let opening = try section.open(engine, settings, isNew: false)
      try note("recovery", opening)
      reads.operations = min(10_000, options.entries)
      try section.worker(engine).ask(.run(reads))
      try section.drop(engine)
    }
  }
}
