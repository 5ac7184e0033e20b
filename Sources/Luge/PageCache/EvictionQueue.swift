internal import Platform

/// Which resident page leaves memory next: S3-FIFO. A page comes into a small queue; it goes on to
/// the main queue if it was visited at least twice by the time it is at the head, else it is the
/// victim: so a scan passes through without pushing out what is used. In the main queue a visited
/// page is passed over, up to three times. A page that comes back soon after it left the small
/// queue goes into the main queue at once.
///
/// The place word of a page:
///
/// ```
/// BITS  DESCRIPTION
/// 0-2   0 in no queue, 1 in the stack of newcomers, 2 small, 3 main, 4 gone for good
/// 3-4   in the main queue: how often it will be passed over
/// 8-63  how many pages had come before it
/// ```
/// Invariants (`problems` checks them):
/// - A page is in one list at most, and its place says which.
/// - The clock counts the pages that left the small queue. A page in no list has the time of its
///   leaving in `previous`, 0 if it left the main queue or was never in one.
///
/// Everything but `push` is guarded by the cache's lock.
struct EvictionQueue {
  static let none: UInt64 = 0
  static let stacked: UInt64 = 1
  static let small: UInt64 = 2
  static let main: UInt64 = 3
  static let gone: UInt64 = 4
  private static let placeMask: UInt64 = 7
  private static let mostChances: UInt64 = 3

  /// Pages linked in order of arrival.
  private struct List {
    var first: UInt64 = 0
    var last: UInt64 = 0
    var count = 0

    mutating func append(_ page: CacheLink) {
      page.next.store(0)
      page.previous.store(last)
      if last == 0 { first = page.address } else { CacheLink(last).next.store(page.address) }
      last = page.address
      count += 1
    }

    mutating func remove(_ page: CacheLink) {
      let (before, after) = (page.previous.load(), page.next.load())
      if before == 0 { first = after } else { CacheLink(before).next.store(after) }
      if after == 0 { last = before } else { CacheLink(after).previous.store(before) }
      count -= 1
    }
  }

  private var smallList = List()
  private var mainList = List()
  private var clock: UInt64 = 1
  private var arrivals: UInt64 = 0

  /// Pages in both queues.
  var count: Int { smallList.count + mainList.count }

  /// A page that is to be evicted now, and where it came from.
  struct Victim {
    let page: CacheLink
    fileprivate let isFromMain: Bool
    fileprivate let arrival: UInt64
  }

  /// Whether fewer than `window` pages have come since the victim: who has just read it may not have
  /// used it yet.
  func isFresh(_ victim: Victim, window: Int) -> Bool {
    arrivals &- victim.arrival < UInt64(window)
  }

  static func place(_ page: CacheLink) -> UInt64 { page.place.load() & placeMask }

  /// Enters a page that came out of the stack of newcomers.
  mutating func insert(_ page: CacheLink) {
    let left = page.previous.load()
    // As many are remembered as the main queue has.
    let isRemembered = left != 0 && clock &- left <= UInt64(max(1, mainList.count))
    if isRemembered { probe("cache.ghostHit") }
    enter(page, isRemembered ? EvictionQueue.main : EvictionQueue.small, arrivals)
    arrivals &+= 1
  }

  private static func arrival(_ page: CacheLink) -> UInt64 { page.place.load() >> 8 }

  private mutating func enter(_ page: CacheLink, _ place: UInt64, _ arrival: UInt64) {
    page.place.store(place | arrival << 8)
    if place & EvictionQueue.placeMask == EvictionQueue.main {
      mainList.append(page)
    } else {
      smallList.append(page)
    }
  }

  /// Takes the next victim out. `visits` answers how often a page was visited since it was last
  /// asked about: 0, 1, or 2 for more. Nil when there is no page.
  mutating func next(_ visits: (CacheLink) -> Int) -> Victim? {
    while count > 0 {
      // A tenth of all is the small queue's share.
      if mainList.count == 0 || smallList.count * 10 > count {
        let page = CacheLink(smallList.first)
        smallList.remove(page)
        if visits(page) < 2 { return leave(page, isFromMain: false) }
        probe("cache.promoted")
        enter(page, EvictionQueue.main, EvictionQueue.arrival(page))
      } else {
        let page = CacheLink(mainList.first)
        mainList.remove(page)
        let earned = UInt64(visits(page)) + (page.place.load() >> 3 & EvictionQueue.mostChances)
        let chances = min(earned, EvictionQueue.mostChances)
        if chances == 0 { return leave(page, isFromMain: true) }
        let place = EvictionQueue.main | (chances - 1) << 3
        enter(page, place, EvictionQueue.arrival(page))
      }
    }
    return nil
  }

  private mutating func leave(_ page: CacheLink, isFromMain: Bool) -> Victim {
    page.previous.store(isFromMain ? 0 : clock)
    if !isFromMain { clock &+= 1 }
    page.next.store(0)
    let arrival = EvictionQueue.arrival(page)
    // Last: from here on the page may be put onto the stack again, once it was evicted.
    page.place.store(EvictionQueue.none)
    return Victim(page: page, isFromMain: isFromMain, arrival: arrival)
  }

  /// A victim that could not be evicted goes to the end of its queue.
  mutating func putBack(_ victim: Victim) {
    let place = victim.isFromMain ? EvictionQueue.main : EvictionQueue.small
    enter(victim.page, place, victim.arrival)
  }

  /// Takes a page out for good; it is in no stack.
  mutating func remove(_ page: CacheLink) {
    switch EvictionQueue.place(page) {
    case EvictionQueue.small: smallList.remove(page)
    case EvictionQueue.main: mainList.remove(page)
    default: break
    }
    page.place.store(EvictionQueue.gone)
  }

  /// Addresses in order of leaving, without regard to visits: the small queue's and the main's.
  var addresses: (small: [UInt64], main: [UInt64]) {
    (EvictionQueue.addresses(smallList), EvictionQueue.addresses(mainList))
  }

  private static func addresses(_ list: List) -> [UInt64] {
    var found: [UInt64] = []
    var next = list.first
    while next != 0 {
      found.append(next)
      next = CacheLink(next).next.load()
    }
    return found
  }

  /// What is wrong with it, in words.
  var problems: [String] {
    var problems: [String] = []
    for (list, place, name) in [
      (smallList, EvictionQueue.small, "small"), (mainList, EvictionQueue.main, "main"),
    ] {
      let pages = EvictionQueue.addresses(list)
      if pages.count != list.count {
        problems.append("the \(name) queue has \(pages.count) pages and counts \(list.count)")
      }
      var before: UInt64 = 0
      for address in pages {
        let page = CacheLink(address)
        if page.previous.load() != before { problems.append("the \(name) queue is torn") }
        if EvictionQueue.place(page) != place {
          problems.append("a page of the \(name) queue is marked \(EvictionQueue.place(page))")
        }
        before = address
      }
      if list.last != before { problems.append("the \(name) queue ends elsewhere") }
    }
    return problems
  }
}
