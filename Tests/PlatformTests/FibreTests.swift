import Platform
import Testing

@Suite struct FibreTests {
  @Test func tenThousandSwitchesKeepLocalState() throws {
    let ring = try #require(Ring())
    var total = 0
    for index in 0..<4 {
      try ring.add { ring in
        var sum = 0
        var scale = 1.5
        let text = "fibre \(index)"
        for turn in 0..<2_500 {
          sum += turn
          scale = scale * 1.0000001
          total += 1
          ring.yield(to: (index + 1) % 4)
        }
        #expect(sum == 2_499 * 2_500 / 2 && text == "fibre \(index)" && scale > 1.5)
        // Those that end first would be switched to again: send the rest on through home.
        total += 1_000_000
        ring.goHome()
      }
    }
    ring.run()
    #expect(total == 4_010_000)
  }

  private struct Failure: Error, Equatable { var depth: Int }

  private func throwAtDepth(_ depth: Int, _ ring: Ring, _ count: inout Int) throws(Failure) {
    defer { count += 1 }
    ring.goHome()
    if depth == 0 { throw Failure(depth: 17) }
    try throwAtDepth(depth - 1, ring, &count)
  }

  @Test func errorsAreThrownAcrossSwitches() throws {
    let ring = try #require(Ring())
    var caught: [Failure] = []
    var unwound = 0
    for _ in 0..<3 {
      try ring.add { ring in
        var count = 0
        do throws(Failure) { try throwAtDepth(20, ring, &count) } catch { caught.append(error) }
        unwound += count
      }
    }
    ring.run()
    #expect(caught == [Failure(depth: 17), Failure(depth: 17), Failure(depth: 17)])
    #expect(unwound == 63)
  }

  @Test func aFibreMayRunFibresOfItsOwn() throws {
    let outer = try #require(Ring())
    var log: [String] = []
    try outer.add { outer in
      log.append("outer begins")
      guard let inner = Ring() else { return }
      try? inner.add { inner in
        log.append("inner begins")
        inner.goHome()
        log.append("inner ends")
      }
      inner.run()
      outer.goHome()
      log.append("outer ends")
    }
    outer.run()
    #expect(log == ["outer begins", "inner begins", "inner ends", "outer ends"])
  }

  /// Stacks are used again; what an earlier user left there must not matter.
  @Test func manyShortLivesReuseStacks() throws {
    var sum = 0
    for round in 0..<500 {
      let ring = try #require(Ring())
      for _ in 0..<4 {
        try ring.add { ring in
          let bytes = [UInt8](repeating: UInt8(round & 0xFF), count: 100)
          ring.goHome()
          sum += Int(bytes[99])
        }
      }
      ring.run()
    }
    #expect(sum == 4 * (0..<500).reduce(0) { $0 + ($1 & 0xFF) })
  }
}
