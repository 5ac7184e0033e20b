import Testing

@testable import Luge

/// The queue beside a plain model of S3-FIFO.
@Suite struct EvictionQueueTests {
  /// The same rules over arrays of page numbers.
  private struct Model {
    var small: [Int] = []
    var main: [(page: Int, chances: Int)] = []
    var left: [Int: Int] = [:]
    var clock = 1

    mutating func insert(_ page: Int) {
      if let time = left[page], clock - time <= max(1, main.count) {
        main.append((page, 0))
      } else {
        small.append(page)
      }
    }

    mutating func next(_ visits: (Int) -> Int) -> (page: Int, isFromMain: Bool)? {
      while !small.isEmpty || !main.isEmpty {
        if main.isEmpty || small.count * 10 > small.count + main.count {
          let page = small.removeFirst()
          if visits(page) < 2 {
            left[page] = clock
            clock += 1
            return (page, false)
          }
          main.append((page, 0))
        } else {
          let (page, chances) = main.removeFirst()
          let sum = min(3, chances + visits(page))
          if sum == 0 {
            left[page] = nil
            return (page, true)
          }
          main.append((page, sum - 1))
        }
      }
      return nil
    }
  }

  /// Memory for pages, as far as the queue looks at it.
  private static func withPages(_ count: Int, _ body: ([CacheLink]) throws -> Void) rethrows {
    let base = UnsafeMutableRawPointer.allocate(byteCount: 80 * count, alignment: 16)
    defer { unsafe base.deallocate() }
    unsafe base.initializeMemory(as: UInt8.self, repeating: 0, count: 80 * count)
    try body(
      (0..<count).map { number in
        unsafe CacheLink(UInt64(UInt(bitPattern: base + 80 * number)))
      })
  }

  private static func number(_ link: CacheLink, _ pages: [CacheLink]) -> Int {
    Int(link.address - pages[0].address) / 80
  }

  @Test(arguments: 1...20 as ClosedRange<UInt64>)
  func doesWhatTheModelDoes(seed: UInt64) {
    var random = TestRandom(seed)
    let count = 4 + random.below(60)
    Self.withPages(count) { pages in
      var queue = EvictionQueue()
      var model = Model()
      var visits = [Int](repeating: 0, count: count)
      var resident = Set<Int>()
      let skew = 1 + random.below(4)
      for _ in 0..<3000 {
        // Some pages are used far more than others.
        var page = random.below(count)
        for _ in 1..<skew { page = min(page, random.below(count)) }
        if resident.contains(page) {
          visits[page] = min(2, visits[page] + 1)
          continue
        }
        if resident.count >= max(2, count / 3) {
          var taken = visits
          let victim = queue.next { link in
            defer { visits[Self.number(link, pages)] = 0 }
            return visits[Self.number(link, pages)]
          }
          let expected = model.next { page in
            defer { taken[page] = 0 }
            return taken[page]
          }
          #expect(victim.map { Self.number($0.page, pages) } == expected?.page)
          guard let victim, let expected else { return }
          if random.below(8) == 0 {
            queue.putBack(victim)
            if expected.isFromMain {
              model.main.append((expected.page, 0))
            } else {
              model.small.append(expected.page)
            }
          } else {
            resident.remove(expected.page)
          }
        }
        queue.insert(pages[page])
        model.insert(page)
        visits[page] = 0
        resident.insert(page)
        #expect(queue.problems == [])
      }
      let left = queue.addresses
      #expect(left.small.map { Self.number(CacheLink($0), pages) } == model.small)
      #expect(left.main.map { Self.number(CacheLink($0), pages) } == model.main.map(\.page))
    }
  }

  /// A page that is used again and again stays, however many pass by once.
  @Test func aScanPushesOutNothingThatIsUsed() {
    Self.withPages(1000) { pages in
      var queue = EvictionQueue()
      for number in 0..<20 { queue.insert(pages[number]) }
      for number in 20..<1000 {
        let victim = queue.next { link in Self.number(link, pages) < 10 ? 2 : 0 }
        #expect(victim.map { Self.number($0.page, pages) >= 10 } == true)
        queue.insert(pages[number])
      }
    }
  }

  @Test func aPageThatIsGoneDoesNotComeBack() throws {
    try Self.withPages(3) { pages in
      var queue = EvictionQueue()
      for page in pages { queue.insert(page) }
      queue.remove(pages[1])
      #expect(queue.count == 2 && queue.problems == [])
      let world = try TreeWorld()
      let cache = world.context.cache
      cache.add(pages[1])
      #expect(EvictionQueue.place(pages[1]) == EvictionQueue.gone)
    }
  }
}
