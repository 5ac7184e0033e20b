import Foundation

/// How often an open database that nobody uses wakes up, and how busy it is.
enum IdleSection {
  static func run(_ section: Section) throws {
    let options = section.options
    let row = Row(workload: .idle, entries: options.entries)
    let load = Workload.loadRandom.step(
      entries: options.entries, threads: 1, serial: section.nextSerial(), seed: section.seed)
    let seconds = options.entries >= 1_000_000 ? 20 : 3
    try section.each(row) { engine in
      try section.open(engine)
      let worker = try section.worker(engine)
      try worker.ask(.run(load))
      try worker.ask(.checkpoint)
      section.quiesce()
      // What runs once in a few seconds shall have run.
      sleep(UInt32(seconds / 2))
      let switches = ProcessFigures.switches(worker.id)
      let time = ProcessFigures.processorTime(worker.id)
      sleep(UInt32(seconds))
      var measurement = Measurement()
      measurement.operations = ProcessFigures.switches(worker.id) - switches
      measurement.seconds = Double(seconds)
      let busy = Double(ProcessFigures.processorTime(worker.id) - time) / Double(seconds * 1000)
      try section.note(
        row, engine, measurement,
        ["wakeUpsPerSecond": measurement.rate, "processorShare": busy])
      try section.drop(engine)
    }
  }
}
