/// What an operation takes as the database grows, from a tenth of the entries to ten times as many, with a
/// cache of 4 GiB: inserts, reads and updates of keys in no order.
enum GrowthSection {
  static func run(_ section: Section) throws {
    let base = section.options.entries
    let seed = section.seed
    for entries in [base / 10, base * 3 / 10, base, base * 3, base * 10] {
      var settings = EngineOptions()
      settings.cacheBytes = 4 << 30
      settings.mapBytes = 8 << 30
      func row(_ variant: String) -> Row {
        Row(workload: .growth, entries: entries, variant: variant)
      }
      let load = Workload.loadRandom.step(
        entries: entries, threads: 1, serial: section.nextSerial(), seed: seed)
      var reads = Workload.readRandom.step(
        entries: entries, threads: 1, serial: section.nextSerial(), seed: seed)
      reads.operations = base
      var updates = Workload.mixed50.step(
        entries: entries, threads: 1, serial: section.nextSerial(), seed: seed)
      updates.updatesOfTwenty = 20
      updates.operations = base
      try section.each(row("insert")) { engine in
        try section.open(engine, settings)
        let worker = try section.worker(engine)
        for (variant, step) in [("insert", load), ("read", reads), ("update", updates)] {
          let measurement = try worker.ask(.run(step))
          try section.note(
            row(variant), engine, measurement, ["nanoseconds": 1e9 / measurement.rate])
          section.quiesce()
        }
        try section.drop(engine)
      }
    }
  }
}
