import Foundation
import Histogram

/// One engine in a process of its own, so that its memory and its writes can be told from those of the
/// others. Takes requests from the standard input and answers on what was the standard output.
struct Worker<E: Engine> {
  private var engine: E?
  private var baseline = 0

  static func serve() {
    // Engines may print: what they print goes to the standard error.
    let output = FileHandle(fileDescriptor: dup(1), closeOnDealloc: true)
    dup2(2, 1)
    var worker = Worker()
    while let line = readLine() {
      var reply = Reply()
      do {
        let request = try JSONDecoder().decode(Request.self, from: Data(line.utf8))
        reply.measurement = try worker.answer(request)
      } catch {
        reply.failure = "\(error)"
      }
      let data = (try? JSONEncoder().encode(reply)) ?? Data("{}".utf8)
      output.write(data + Data("\n".utf8))
    }
    exit(0)
  }

  private func opened() throws -> E {
    guard let engine else { throw BenchmarkError("\(E.name) is not open") }
    return engine
  }

  private mutating func answer(_ request: Request) throws -> Measurement? {
    switch request {
    case .open(let directory, let options):
      // What a first use of the libraries and of threads takes is not the database's.
      _ = try Crew<Int>(1).run { _, start, finish in
        start()
        finish()
        return 0
      }
      baseline = ProcessFigures.anonymousBytes()
      return try measured {
        engine = try E(directory: directory, options: options)
        return 1
      }
    case .run(let step): return try run(step)
    case .load(let corpus, let entries):
      let engine = try opened()
      return try measured { try corpus.load(entries, into: engine) }
    case .settle:
      return try measured {
        try opened().settle()
        return 1
      }
    case .checkpoint:
      return try measured {
        try opened().checkpoint()
        return 1
      }
    case .close:
      let engine = try opened()
      self.engine = nil
      return try measured {
        try engine.close()
        return 1
      }
    case .bareSync(let directory, let seconds):
      return try BareDisk.commits(for: seconds, in: directory)
    case .bareReads(let path, let pageSize, let seconds):
      return try BareDisk.reads(path, pageSize: pageSize, seconds: seconds)
    case .bareCounter(let threads, let each):
      return try BareCounter.run(threads: threads, each: each)
    }
  }

  /// Times a body and looks at memory and the device meanwhile.
  private func measured(_ body: () throws -> Int) throws -> Measurement {
    let before = ProcessFigures.deviceBytes()
    let sampler = ResidentSampler()
    let begun = ContinuousClock.now
    let result = Result { try body() }
    var measurement = Measurement()
    measurement.seconds = (ContinuousClock.now - begun) / .seconds(1)
    measurement.residentBytes = sampler.stop() - baseline
    measurement.settledBytes = ProcessFigures.anonymousBytes() - baseline
    let after = ProcessFigures.deviceBytes()
    measurement.readBytes = after.read - before.read
    measurement.writtenBytes = after.written - before.written
    measurement.operations = try result.get()
    return measurement
  }

  private func run(_ step: Step) throws -> Measurement {
    let engine = try opened()
    var seconds = 0.0
    var latencies: [Histogram<UInt32>] = []
    // The lists of popular keys are the benchmark's memory, not the engine's.
    let ours = step.isZipfian ? step.entries * 4 : 0
    var measurement = try measured {
      let crew = try Crew<(Int, Histogram<UInt32>)>(step.threads).run { thread, start, finish in
        var execution = Execution(step, thread: thread, loadTransaction: E.loadTransaction)
        defer { execution.deallocate() }
        var session = try engine.makeSession()
        start()
        try execution.run(&session)
        finish()
        try session.close()
        return (execution.operations, execution.latencies)
      }
      seconds = crew.seconds
      latencies = crew.results.map(\.1)
      return crew.results.reduce(0) { $0 + $1.0 }
    }
    measurement.seconds = seconds
    measurement.residentBytes -= ours
    if var all = latencies.first {
      for other in latencies.dropFirst() { all.add(other) }
      if all.totalCount > 0 {
        measurement.p50 = Double(all.valueAtPercentile(50)) / 1000
        measurement.p99 = Double(all.valueAtPercentile(99)) / 1000
        measurement.p999 = Double(all.valueAtPercentile(99.9)) / 1000
      }
    }
    try verify(step, engine)
    return measurement
  }

  /// Checks what the step should have left; not timed.
  private func verify(_ step: Step, _ engine: E) throws {
    var session = try engine.makeSession()
    let key = UnsafeMutableRawBufferPointer.allocate(byteCount: step.shape.keySize, alignment: 8)
    defer { key.deallocate() }
    switch step.action {
    case .load, .put, .overwrite:
      let expected = step.action == .overwrite ? step.firstVersion &+ UInt64(step.rounds) : 0
      for index in stride(from: 0, to: step.entries, by: max(step.entries / 1000, 1)) {
        let item = Item(step.shape, index)
        item.writeKey(to: key)
        guard try session.get(Bytes(key), { try item.check($0) }) == expected else {
          throw BenchmarkError("\(E.name): the last value written was not read")
        }
      }
    case .remove:
      var left = 0
      try session.scan(from: nil) { _, _ in
        left += 1
        return false
      }
      guard left == 0 else {
        throw BenchmarkError("\(E.name): entries are left after all were removed")
      }
    default: break
    }
    try session.close()
  }
}
