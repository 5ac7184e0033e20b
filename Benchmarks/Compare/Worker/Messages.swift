/// What the coordinator asks of a worker: one JSON object a line.
enum Request: Codable, Sendable {
  case open(directory: String, options: EngineOptions)
  case run(Step)
  /// Puts a corpus in and reads it back.
  case load(corpus: Corpus, entries: Int)
  case settle
  case checkpoint
  case close
  /// Commits of a bare file; no engine.
  case bareSync(directory: String, seconds: Double)
  /// Reads at random places of a file that is not cached; no engine.
  case bareReads(path: String, pageSize: Int, seconds: Double)
  /// Numbers from one word by several threads; no engine.
  case bareCounter(threads: Int, each: Int)
}

/// What the worker answers.
struct Reply: Codable, Sendable {
  var failure: String?
  var measurement: Measurement?
}

/// What one step took.
struct Measurement: Codable, Sendable {
  var operations = 0
  var seconds = 0.0
  /// Microseconds; nil where no operation was timed.
  var p50: Double?
  var p99: Double?
  var p999: Double?
  /// The peak of anonymous bytes above those before the database was opened.
  var residentBytes = 0
  /// Anonymous bytes above those before the opening when it was over.
  var settledBytes = 0
  /// Bytes read from and sent to the device.
  var readBytes = 0
  var writtenBytes = 0

  var rate: Double { Double(operations) / max(seconds, 1e-9) }
}
