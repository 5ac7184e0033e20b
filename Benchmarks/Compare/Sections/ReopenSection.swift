/// A kill at the end of an overwrite of all entries, and the opening after it.
enum ReopenSection {
  static func run(_ section: Section) throws {
    let options = section.options
    let row = Row(workload: .reopenKill, entries: options.entries)
    let load = Workload.loadRandom.step(
      entries: options.entries, threads: 1, serial: section.nextSerial(), seed: section.seed)
    var overwrite = Workload.overwrite.step(
      entries: options.entries, threads: 1, serial: section.nextSerial(), seed: section.seed)
    overwrite.rounds = 1
    var scan = Workload.scan.step(
      entries: options.entries, threads: 1, serial: section.nextSerial(), seed: section.seed)
    scan.timedOneIn = 1
    scan.rounds = 1
    try section.each(row) { engine in
      try section.open(engine)
      let worker = try section.worker(engine)
      try worker.ask(.run(load))
      try worker.ask(.checkpoint)
      try worker.ask(.run(overwrite))
      section.killWorker(engine)
      let opening = try section.open(engine, isNew: false)
      // All entries must be there, each with a value of its own.
      try section.worker(engine).ask(.run(scan))
      try section.note(row, engine, opening, ["seconds": opening.seconds])
      try section.drop(engine)
    }
  }
}
