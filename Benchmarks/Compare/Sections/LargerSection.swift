import Foundation

/// Data ten times the memory: every engine has a cache of 64 MiB, and its whole process, the page cache that
/// it causes included, has 128 MiB in a memory cgroup. Uniform reads and uniform updates, for a time each,
/// in turns; and what the bare disk reads at the same depth.
enum LargerSection {
  /// 64 MiB at a million entries and above; less with `--entries` below that.
  static func budget(_ options: Options) -> Int {
    max(64 * min(options.entries, 1_000_000) / 1_000_000, 4) << 20
  }

  static func run(_ section: Section) throws {
    let options = section.options
    let budget = budget(options)
    let entries = 10 * budget / Shape.standard.entrySize
    var settings = EngineOptions()
    settings.cacheBytes = budget
    settings.mapBytes = 20 * budget
    let group = MemoryGroup("probe", limit: budget + 64 << 20)
    group?.remove()
    Console.note(
      "  cache \(Console.bytes(Double(budget))), "
        + (group == nil
          ? "no memory cgroup permitted: the page cache is not bounded"
          : "process in a memory cgroup of \(Console.bytes(Double(budget + 64 << 20)))"))
    let taking = section.engines.filter {
      // A peer without such a setting keeps to its cgroup; Luge is not measured without its budget.
      $0 != Engines.luge || Engines.can($0, .budget)
    }
    if taking.count < section.engines.count { Console.note("  luge heeds no budget: not measured") }
    let reads = Row(workload: .largerThanMemory, entries: entries, variant: "10x reads")
    let writes = Row(workload: .largerThanMemory, entries: entries, variant: "10x updates")
    try section.each(reads, among: taking) { engine in
      try load(section, engine, settings, entries)
    }
    let bare = try bareReads(section, budget)
    Console.note("  of Luge's mean page: \(meanPage(Engines.luge)) bytes; of the others': 4096")
    let windows = min(options.pairs, 3)
    for _ in 0..<windows {
      try window(section, reads, taking, updates: 0, bare)
      try window(section, writes, taking, updates: 20, bare)
    }
    for engine in section.engines { try section.drop(engine) }
    for engine in taking { MemoryGroup(engine, limit: budget)?.remove() }
  }

  private static func load(
    _ section: Section, _ engine: String, _ settings: EngineOptions, _ entries: Int
  ) throws {
    let group = MemoryGroup(engine, limit: settings.cacheBytes + 64 << 20)
    try section.open(engine, settings, cgroup: group?.path)
    var load = Workload.loadSequential.step(
      entries: entries, threads: 1, serial: section.nextSerial(), seed: section.seed)
    load.shape.order = .sequential
    let worker = try section.worker(engine)
    try worker.ask(.run(load))
    try worker.ask(.checkpoint)
  }

  /// What one read of a page takes of the disk, in whole blocks. Luge's leaves are loaded seven eighths
  /// full of 128 entries.
  private static func meanPage(_ engine: String) -> Int {
    engine == Engines.luge ? (112 * Shape.standard.entrySize + 4095) / 4096 * 4096 : 4096
  }

  /// A file as large as the data, read past the page cache in pages of some sizes, one after the other. The
  /// rates by page size.
  private static func bareReads(_ section: Section, _ budget: Int) throws -> [Int: Double] {
    let path = section.folder + "/bare-reads"
    let chunk = Data(repeating: 0x5A, count: 1 << 20)
    _ = FileManager.default.createFile(atPath: path, contents: nil)
    guard let file = FileHandle(forWritingAtPath: path) else {
      throw BenchmarkError("cannot write \(path)")
    }
    for _ in 0..<(10 * budget >> 20) { try file.write(contentsOf: chunk) }
    try file.synchronize()
    try file.close()
    var rates: [Int: Double] = [:]
    for size in [meanPage(Engines.luge), 4096] {
      let measurement = try section.worker(Engines.bare).ask(
        .bareReads(path: path, pageSize: size, seconds: seconds(section)))
      rates[size] = measurement.rate
      try section.note(
        Row(
          workload: .largerThanMemory, entries: 10 * budget / Shape.standard.entrySize,
          variant: size == 4096 ? "10x reads" : "10x reads, bare of the mean page"),
        Engines.bare, measurement)
    }
    try? FileManager.default.removeItem(atPath: path)
    return rates
  }

  private static func seconds(_ section: Section) -> Double {
    section.options.entries >= 1_000_000 ? 20 : 1
  }

  private static func window(
    _ section: Section, _ row: Row, _ taking: [String], updates: UInt64,
    _ bare: [Int: Double]
  ) throws {
    var step = Workload.mixed50.step(
      entries: row.entries, threads: 1, serial: section.nextSerial(), seed: section.seed)
    step.shape.order = .sequential
    step.updatesOfTwenty = updates
    step.operations = .max
    step.seconds = seconds(section)
    try section.each(row, among: taking) { engine in
      let measurement = try section.worker(engine).ask(.run(step))
      let count = Double(max(measurement.operations, 1))
      var figures: [String: Double]
      if updates == 0 {
        figures = [
          "ofBareReads": measurement.rate / (bare[meanPage(engine)] ?? .infinity),
          "deviceBytesAGet": Double(measurement.readBytes) / count,
        ]
      } else {
        figures = [
          "writeAmplification": Double(measurement.writtenBytes)
            / (count * Double(step.shape.entrySize))
        ]
      }
      figures["residentOfBudget"] =
        Double(measurement.residentBytes) / Double(budget(section.options))
      try section.note(row, engine, measurement, figures)
    }
  }
}
