import Platform

@testable import SimulationKit

/// Random calls on a few small files, with syncs among them.
struct RandomCalls {
  private var random: SplitMix64

  init(seed: UInt64) { random = SplitMix64(seed: seed) }

  private mutating func draw(_ bound: Int) -> Int { Int(random.next() % UInt64(bound)) }

  consuming func run(_ files: any FileSystem, count: Int) throws {
    let names = ["/a", "/b", "/c"]
    var open: [any File] = []
    for turn in 0..<count {
      let name = names[draw(3)]
      let file = open.isEmpty ? nil : open[draw(open.count)]
      switch draw(12) {
      case 0: open.append(try files.open(name, .readWriteOrCreate))
      case 1: if try files.status(name) != nil { try files.remove(name) }
      case 2:
        if try files.status(name) != nil { try files.rename(name, to: names[draw(3)]) }
      case 3: try files.syncDirectory("/")
      case 4: try file?.syncData()
      case 5: try file?.truncate(to: Int64(draw(2000)))
      case 6: try file?.punchHole(offset: Int64(draw(1000)), length: Int64(1 + draw(1000)))
      case 7: try file?.allocate(offset: Int64(draw(1000)), length: Int64(1 + draw(3000)))
      default:
        try file?.writeFully(
          bytes(UInt8(truncatingIfNeeded: turn), 1 + draw(900)), at: Int64(draw(1500)))
      }
    }
  }
}
