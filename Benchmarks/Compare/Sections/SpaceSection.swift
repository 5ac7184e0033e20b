import Foundation

/// Blocks allocated for live bytes after ten times as many uniform overwrites as there are entries.
enum SpaceSection {
  static func run(_ section: Section) throws {
    let options = section.options
    let row = Row(workload: .spaceOverwrite, entries: options.entries)
    let load = Workload.loadRandom.step(
      entries: options.entries, threads: 1, serial: section.nextSerial(), seed: section.seed)
    var overwrite = Workload.mixed50.step(
      entries: options.entries, threads: 1, serial: section.nextSerial(), seed: section.seed)
    overwrite.updatesOfTwenty = 20
    overwrite.operations = options.entries * 10
    let live = Double(options.entries * Shape.standard.entrySize)
    try section.each(row) { engine in
      try section.open(engine)
      let worker = try section.worker(engine)
      try worker.ask(.run(load))
      let measurement = try worker.ask(.run(overwrite))
      let settled = try settle(section, engine)
      try section.note(row, engine, measurement, ["amplification": Double(settled) / live])
      try section.drop(engine)
    }
  }

  /// Bytes allocated, or those of the chosen files, once they no longer change: after a checkpoint, and up to a minute of the engine's
  /// own time to clean up.
  static func settle(
    _ section: Section, _ engine: String, where isChosen: (String) -> Bool = { _ in true }
  ) throws -> Int {
    try section.worker(engine).ask(.checkpoint)
    var former = -1
    var same = 0
    for _ in 0..<60 where same < 3 {
      section.quiesce()
      sleep(1)
      let now = ProcessFigures.allocatedBytes(section.directory(engine), where: isChosen)
      same = now == former ? same + 1 : 0
      former = now
    }
    return former
  }
}
