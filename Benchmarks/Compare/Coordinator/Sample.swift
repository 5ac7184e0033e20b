/// What is reported as one line: a workload with a number of threads, entries, and where a workload has
/// several parts, which of them.
struct Row: Codable, Hashable, Sendable {
  var workload: Workload
  var threads = 1
  var entries: Int
  var variant = ""

  var title: String {
    workload.rawValue + (variant.isEmpty ? "" : " " + variant)
  }
}

/// What one engine did in one step of one section.
struct Sample: Codable, Sendable {
  var row: Row
  var engine: String
  /// Samples of a row and a section were taken back to back.
  var section: String
  var attempt: Int
  var measurement = Measurement()
  var allocatedBytes: Int?
  /// Figures that only this workload has, by name.
  var figures: [String: Double] = [:]
  var failure: String?
}
