/// How much of keys that count up is stored. Two loads in order, with keys of 16 and of 8 bytes and values of
/// 100, settled: the first has 8 bytes a key more, of which the files of entries, logs apart, show how many
/// were stored.
enum SequentialSection {
  static func run(_ section: Section) throws {
    let entries = section.options.entries
    let row = Row(workload: .sequentialKeys, entries: entries)
    try section.each(row) { engine in
      var stored: [Int] = []
      var last = Measurement()
      for keySize in [8, 16] {
        try section.open(engine)
        var load = Workload.loadSequential.step(
          entries: entries, threads: 1, serial: section.nextSerial(), seed: section.seed)
        load.shape = Shape(order: .counting, keySize: keySize, valueSize: 100)
        last = try section.worker(engine).ask(.run(load))
        let allocated = try SpaceSection.settle(section, engine) {
          Engines.isTable($0, of: engine)
        }
        stored.append(allocated)
        if keySize == 8 { try section.drop(engine) }
      }
      let user = Double(entries)
      try section.note(
        row, engine, last,
        [
          // Everything that is neither value nor key left out counts against it: headers and free space.
          "bytesBesideValuesAnEntry": Double(stored[1]) / user - 100,
          "keyBytesNotStored": 1 - Double(stored[1] - stored[0]) / (user * 8),
        ])
      try section.drop(engine)
    }
  }
}
