/// Bytes sent to the device for a random load, the final checkpoint and the closing included.
enum VolumeSection {
  static func run(_ section: Section) throws {
    let options = section.options
    let row = Row(workload: .writeVolume, entries: options.entries)
    let load = Workload.loadRandom.step(
      entries: options.entries, threads: 1, serial: section.nextSerial(), seed: section.seed)
    let user = Double(options.entries * Shape.standard.entrySize)
    try section.each(row) { engine in
      let opening = try section.open(engine)
      let worker = try section.worker(engine)
      var measurement = try worker.ask(.run(load))
      let checkpoint = try worker.ask(.checkpoint)
      section.quiesce()
      let closing = try section.close(engine)
      measurement.writtenBytes +=
        opening.writtenBytes + checkpoint.writtenBytes + (closing?.writtenBytes ?? 0)
      try section.note(
        row, engine, measurement, ["writeAmplification": Double(measurement.writtenBytes) / user])
    }
  }
}
