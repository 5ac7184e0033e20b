import Foundation

/// Durable commits on a small database, so that no checkpoint or compaction of the load is timed with
/// them, beside what the bare disk takes at the same moment.
///
/// `fdatasync` on a journalled file system may wait for what others wrote: so the system writes out
/// everything before each step, and no other engine is at work.
enum CommitSection {
  static let entries = 10_000

  /// Of each step.
  private static func seconds(_ section: Section) -> Double {
    section.options.entries >= 1_000_000 ? 2 : 0.5
  }

  static func run(_ section: Section) throws {
    let entries = min(entries, section.options.entries)
    var durable = EngineOptions()
    durable.isDurable = true
    for threads in Workload.commitSync.threads {
      let row = Row(workload: .commitSync, threads: threads, entries: entries)
      var load = Workload.loadSequential.step(
        entries: entries, threads: 1, serial: section.nextSerial(), seed: section.seed)
      load.shape = .standard
      var step = Workload.commitSync.step(
        entries: entries, threads: threads, serial: section.nextSerial(), seed: section.seed)
      step.operations = .max / 2
      step.seconds = seconds(section)
      try section.each(row) { engine in
        try section.open(engine, durable)
        let worker = try section.worker(engine)
        try worker.ask(.run(load))
        try worker.ask(.checkpoint)
        sync()
        section.quiesce()
        // The disk's limit, right before: what a virtual disk takes drifts.
        if threads == 1 {
          let bare = try section.worker(Engines.bare).ask(
            .bareSync(directory: section.folder, seconds: seconds(section)))
          try section.note(row, Engines.bare, bare)
          sync()
        }
        try section.note(row, engine, try worker.ask(.run(step)))
        try section.drop(engine)
      }
    }
  }
}
