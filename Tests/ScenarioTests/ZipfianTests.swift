import Testing

@testable import SimulationKit

@Suite struct ZipfianTests {
  /// Against the real function: Foundation-free, so by known values of 2^40 / rank^0.99.
  @Test func weightsAreThoseOfTheZipfianConstant() {
    let known: [(rank: Int, share: Double)] = [
      (0, 1), (1, 0.503477775), (9, 0.102329299), (99, 0.010471285), (999, 0.001071519),
    ]
    for (rank, share) in known {
      let weight = Double(ZipfianDraw.weight(rank)) / Double(1 << 40)
      #expect(abs(weight - share) < share * 1e-6, "rank \(rank): \(weight)")
    }
  }

  @Test func everyRankIsDrawnAboutAsOftenAsItShould() {
    let tape = ChoiceTape(driver: SeededDriver(seed: 7))
    let lane = tape.lane("client")
    var counts = [Int](repeating: 0, count: 100)
    for _ in 0..<100_000 { counts[ZipfianDraw.rank(lane, below: 100)] += 1 }
    // The harmonic sum of 1/k^0.99 for 100 ranks is 5.2946.
    #expect(abs(Double(counts[0]) / 100_000 - 1 / 5.2946) < 0.01)
    #expect(counts.allSatisfy { $0 > 50 })
    #expect(counts[0] > counts[4] && counts[4] > counts[30] && counts[30] > counts[99])
  }

  @Test func theSimplestDrawIsTheMostFrequentRank() {
    let tape = ChoiceTape(driver: ReplayDriver([]))
    #expect(ZipfianDraw.rank(tape.lane("client"), below: 1000) == 0)
    #expect(ZipfianDraw.rank(tape.lane("client"), below: 0) == 0)
  }
}
