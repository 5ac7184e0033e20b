import Foundation

/// Ranks by Zipf's law with exponent 0.99, by the method of Gray et al. that YCSB uses.
struct Zipfian {
  private static let theta = 0.99
  private let count: Double
  private let zeta: Double
  private let alpha: Double
  private let eta: Double

  init(count: Int) {
    var zeta = 0.0
    for rank in 1...max(count, 2) { zeta += pow(Double(rank), -Self.theta) }
    self.count = Double(count)
    self.zeta = zeta
    alpha = 1 / (1 - Self.theta)
    let zetaOfTwo = 1 + pow(0.5, Self.theta)
    eta = (1 - pow(2 / Double(count), 1 - Self.theta)) / (1 - zetaOfTwo / zeta)
  }

  /// The rank for a number from 0 up to 1.
  func rank(_ unit: Double) -> Int {
    let scaled = unit * zeta
    if scaled < 1 { return 0 }
    if scaled < 1 + pow(0.5, Self.theta) { return 1 }
    return min(Int(count * pow(eta * unit - eta + 1, alpha)), Int(count) - 1)
  }
}
