internal import Platform

/// The pages of all trees that are in memory, and how much memory there is.
///
/// Invariants:
/// - A page is in the cache from when it becomes resident until it is evicted, and while some thread
///   tries to evict it that thread alone has it. (Between a split and the splitter's `add` it is not.)
/// - A resident page is removed before its memory is freed.
/// - The lock is held for a few steps and never while anything waits; who holds it may be pinned,
///   who waits for it is not.
final class PageCache: @unchecked Sendable {
  // Unchecked: `queue` is guarded by `lock`. Its accesses are not tracked either: within them threads of a
  // simulation switch, which the tracking of one system thread takes for nested accesses.
  private let lock: Lock
  @exclusivity(unchecked) private var queue = EvictionQueue()
  /// Address of the page that came last, linked by `next`; pushed without the lock.
  private let newcomers = AtomicWord(0)

  /// Pages that stay whatever comes: fewer, and operations would take away from each other what
  /// they have just read.
  let floor: Int
  /// So many pages must have come after one that nobody has used since it was read, before it goes
  /// all the same: who read it may have stopped for good.
  private var unusedWindow: Int { 32 * floor }

  /// See `MemoryLimits`.
  let limit: Int
  let hardLimit: Int
  /// Above it the eviction thread is called.
  let softLimit: Int
  /// Down to it that evicts.
  let restLimit: Int

  /// See `MemoryLimits`.
  let fullLimit: Int
  /// See `MemoryLimits`.
  let chunkLimit: Int
  /// What the limit leaves for pages.
  let room: Int

  /// Reads that found no page, while memory was short: the clock of `noteMiss`.
  let misses = AtomicWord(0)
  /// Values read from pages that stayed on disk.
  let glances = AtomicWord(0)
  /// Pages evicted, and pages read, since the database was opened.
  let evictions = AtomicWord(0)
  let pageIns = AtomicWord(0)

  init(_ memory: MemoryLimits, threads: any Threads) {
    lock = Lock(threads: threads)
    limit = memory.limit
    hardLimit = memory.hardLimit
    softLimit = memory.softLimit
    restLimit = memory.restLimit
    fullLimit = memory.fullLimit
    chunkLimit = memory.chunkLimit
    room = memory.limit - memory.fixed
    floor = memory.floor
  }

  /// Enters a page that has become resident. Lock-free; pinned, or while the page is `loading`.
  func add(_ page: CacheLink) {
    guard
      page.place.compareExchange(expected: EvictionQueue.none, desired: EvictionQueue.stacked)
    else { return }
    while true {
      let first = newcomers.load()
      page.next.store(first)
      if newcomers.compareExchange(expected: first, desired: page.address) { return }
    }
  }

  /// Queues what has come since, the oldest first.
  private func drain(_ visits: (CacheLink) -> Int) {
    var next = newcomers.exchange(0)
    var reversed: [UInt64] = []
    while next != 0 {
      reversed.append(next)
      next = CacheLink(next).next.load()
    }
    while let address = reversed.popLast() {
      // Its birth was no visit.
      _ = visits(CacheLink(address))
      unsafe queue.insert(CacheLink(address))
    }
  }

  /// What `takeVictim` found.
  enum Choice {
    case victim(EvictionQueue.Victim)
    /// All are in use.
    case none
    /// So few that they stay.
    case floor
  }

  /// Takes out the page that is to go next and that `claim` says yes to, which hears whether the page
  /// may go though it was not used yet.
  /// `visits`: see `EvictionQueue`. Unpinned; both are called with the lock held, within a pin.
  /// `keeping`: how many of the youngest pages stay, if not as many as usual.
  func takeVictim(
    _ epochs: EpochReclaimer, keeping kept: Int? = nil, visits: (CacheLink) -> Int,
    claim: (CacheLink, Bool) -> Bool
  ) throws(LugeError) -> Choice {
    try lock.acquire()
    defer { lock.unlock() }
    let pin = try epochs.pin()
    defer { pin.end() }
    drain(visits)
    let floor = kept ?? floor
    if unsafe queue.count <= floor { return .floor }
    var tries = unsafe queue.count
    while tries > 0, let victim = unsafe queue.next(visits) {
      if unsafe !queue.isFresh(victim, window: floor),
        unsafe claim(victim.page, !queue.isFresh(victim, window: unusedWindow))
      {
        return .victim(victim)
      }
      unsafe queue.putBack(victim)
      tries -= 1
    }
    return .none
  }

  /// The page was not evicted. Before its claim is given back.
  func putBack(_ victim: EvictionQueue.Victim) throws(LugeError) {
    try lock.acquire()
    defer { lock.unlock() }
    unsafe queue.putBack(victim)
  }

  /// Takes pages out for good, while nobody has one of them as a victim. Unpinned.
  func remove(_ pages: [CacheLink]) throws(LugeError) {
    try lock.acquire()
    defer { lock.unlock() }
    drain { _ in 0 }
    for page in pages { unsafe queue.remove(page) }
  }

  /// Takes a page out for good, if it is in a queue. Under its claim, unpinned. False when it is not:
  /// who has just made it may be about to add it.
  func take(_ page: CacheLink) throws(LugeError) -> Bool {
    try lock.acquire()
    defer { lock.unlock() }
    drain { _ in 0 }
    let place = EvictionQueue.place(page)
    guard place == EvictionQueue.small || place == EvictionQueue.main else { return false }
    unsafe queue.remove(page)
    return true
  }

  /// After `take`, for a page that stays all the same. Under its claim.
  func giveBack(_ page: CacheLink) {
    page.place.store(EvictionQueue.none)
    add(page)
  }

  /// Pages in the queues, newcomers left out.
  func count() throws(LugeError) -> Int {
    try lock.acquire()
    defer { lock.unlock() }
    return unsafe queue.count
  }

  /// What is wrong with the queues, in words.
  func problems() throws(LugeError) -> [String] {
    try lock.acquire()
    defer { lock.unlock() }
    return unsafe queue.problems
  }
}
