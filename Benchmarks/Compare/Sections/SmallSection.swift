/// Two sets that fit into the caches of a processor: 95 % reads and 5 % updates.
enum SmallSection {
  static func run(_ section: Section) throws {
    let options = section.options
    let large = min(100_000, options.entries)
    let sets = [
      (1000, Shape(keySize: 8, valueSize: 10), "1,000 x 8+10"),
      (large, Shape(keySize: 10, valueSize: 100), "100k x 10+100"),
    ]
    for (entries, shape, variant) in sets {
      var load = Workload.loadRandom.step(
        entries: entries, threads: 1, serial: section.nextSerial(), seed: section.seed)
      load.shape = shape
      let first = Row(workload: .small95, threads: 1, entries: entries, variant: variant)
      try section.each(first) { engine in
        try section.open(engine)
        try section.worker(engine).ask(.run(load))
      }
      for threads in Workload.small95.threads {
        var row = first
        row.threads = threads
        var step = Workload.small95.step(
          entries: entries, threads: threads, serial: section.nextSerial(), seed: section.seed)
        step.shape = shape
        step.operations = options.entries
        try section.measure(row, step)
      }
      for engine in section.engines { try section.drop(engine) }
    }
  }
}
