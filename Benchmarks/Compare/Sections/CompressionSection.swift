/// Blocks allocated for a word list and for JSON documents, with zstd and without: of the files that hold
/// entries, without the logs, whose size is fixed.
enum CompressionSection {
  static func run(_ section: Section) throws {
    for corpus in Corpus.allCases {
      let entries =
        corpus == .words ? section.options.entries : section.options.entries / 2
      let row = Row(workload: .compression, entries: entries, variant: corpus.rawValue)
      let able = section.engines.filter { Engines.can($0, .compression) }
      if !able.contains(Engines.luge) { Console.note("luge cannot compress yet: not measured") }
      try section.each(row, among: able) { engine in
        var allocated: [Int] = []
        var measurement = Measurement()
        for isCompressed in [false, true] {
          var settings = EngineOptions()
          settings.isCompressed = isCompressed
          try section.open(engine, settings)
          measurement = try section.worker(engine).ask(.load(corpus: corpus, entries: entries))
          allocated.append(
            try SpaceSection.settle(section, engine) { Engines.isTable($0, of: engine) })
          if !isCompressed { try section.drop(engine) }
        }
        try section.note(
          row, engine, measurement,
          [
            "ofUncompressed": Double(allocated[1]) / Double(allocated[0]),
            "compressedBytes": Double(allocated[1]),
          ])
        try section.drop(engine)
      }
    }
  }
}
