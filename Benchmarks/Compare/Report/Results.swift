/// What the samples of a run come to: medians, and ratios of samples that were taken back to back.
struct Results {
  let samples: [Sample]

  /// Rows in the order in which they were first measured.
  let rows: [Row]

  init(_ samples: [Sample]) {
    self.samples = samples
    var rows: [Row] = []
    for sample in samples where !rows.contains(sample.row) { rows.append(sample.row) }
    self.rows = rows
  }

  func of(_ row: Row, _ engine: String) -> [Sample] {
    samples.filter { $0.row == row && $0.engine == engine && $0.failure == nil }
  }

  /// Engines that have a sample of the row: Luge first, then by name of the peers' list.
  func engines(_ row: Row) -> [String] {
    let known = [Engines.luge] + Engines.peers.map { $0.name } + [Engines.bare]
    return known.filter { !of(row, $0).isEmpty }
  }

  var failures: [Sample] { samples.filter { $0.failure != nil } }

  // MARK: Figures of one engine

  func median(_ row: Row, _ engine: String, _ value: (Sample) -> Double?) -> Double? {
    Self.quantile(0.5, of: of(row, engine).compactMap(value))
  }

  func rate(_ row: Row, _ engine: String) -> Double? {
    median(row, engine) { $0.measurement.rate }
  }

  func figure(_ row: Row, _ engine: String, _ name: String) -> Double? {
    median(row, engine) { $0.figures[name] }
  }

  // MARK: Ratios

  /// Luge's value divided by the peer's, of each pair of one section, in the order in which they were taken.
  func ratios(
    _ row: Row, _ peer: String, _ value: (Sample) -> Double? = { $0.measurement.rate }
  ) -> [Double] {
    var sections: [String] = []
    for sample in samples where sample.row == row && !sections.contains(sample.section) {
      sections.append(sample.section)
    }
    return sections.flatMap { section -> [Double] in
      func values(_ engine: String) -> [Double] {
        of(row, engine).filter { $0.section == section }.compactMap(value)
      }
      return zip(values(Engines.luge), values(peer)).compactMap { $1 > 0 ? $0 / $1 : nil }
    }
  }

  func peers(_ row: Row) -> [String] {
    engines(row).filter { $0 != Engines.luge && $0 != Engines.bare }
  }

  /// The median ratio to the peer that is best in it, and which that is: the least ratio where more is
  /// better, the greatest where less is.
  func againstBest(
    _ row: Row, isMoreBetter: Bool = true, among: [String]? = nil,
    _ value: (Sample) -> Double? = { $0.measurement.rate }
  ) -> (ratio: Double, peer: String)? {
    let candidates = peers(row).filter { among?.contains($0) ?? true }.compactMap { peer in
      Self.quantile(0.5, of: ratios(row, peer, value)).map { (ratio: $0, peer: peer) }
    }
    return candidates.min { isMoreBetter ? $0.ratio < $1.ratio : $0.ratio > $1.ratio }
  }

  /// The value that the share of the sorted values lies below, interpolated; nil without values.
  static func quantile(_ share: Double, of values: [Double]) -> Double? {
    guard !values.isEmpty else { return nil }
    let sorted = values.sorted()
    let place = share * Double(sorted.count - 1)
    let below = Int(place)
    let above = min(below + 1, sorted.count - 1)
    return sorted[below] + (sorted[above] - sorted[below]) * (place - Double(below))
  }
}
