internal import Platform

/// Which chunk leaves memory next: a hand goes round over the chunks of all trees, and one that has no page
/// in memory and was not looked at since the hand came by goes. What chunks take is kept to a share of the
/// memory; as long as it is less they stay, because a glance at a page on disk needs the chunk alone.
///
/// Invariants:
/// - `bytes` is the sum of `Branch.indexBytes` over the chunks in memory, but for a moment around a change.
/// - A tree is here from before it is shared until `destroy`, which comes before the tree's end.
/// - The lock is held for a few steps and never while anything waits; who waits for it is not pinned.
///
final class ChunkClock: @unchecked Sendable {
  // Unchecked: the lock guards it. No access lasts, so no thread of a simulation switches within one.
  private let lock: Lock
  /// As pages name them.
  private var trees: [UInt64] = []
  /// Where the hand is: a tree, and a place in its root.
  private var tree = 0
  private var place = 0

  /// What descriptors and branches of the chunks in memory take, about.
  let bytes = AtomicWord(0)

  /// Chunks that are looked at in one pin.
  static let portion = 64

  /// Some chunks beneath the hand.
  struct Portion {
    /// Does not end before `endMaintenance` is called, which is the caller's to do.
    let tree: BLinkTree
    let first: Int
    /// The hand is back at the first tree.
    let isLast: Bool
  }

  init(threads: any Threads) { lock = Lock(threads: threads) }

  /// Unpinned.
  func add(_ tree: BLinkTree) throws(LugeError) {
    try lock.acquire()
    defer { lock.unlock() }
    trees.append(tree.ownerWord)
  }

  /// Unpinned. Harmless for a tree that is not here.
  func remove(_ gone: BLinkTree) throws(LugeError) {
    try lock.acquire()
    defer { lock.unlock() }
    var index = 0
    while index < trees.count {
      if trees[index] == gone.ownerWord {
        trees.remove(at: index)
        if index < tree { tree -= 1 } else if index == tree { place = 0 }
        return
      }
      index += 1
    }
  }

  /// Moves the hand on. Nil: it has come to the end of all trees, or the tree beneath it is about to go.
  /// Unpinned.
  func next(_ epochs: EpochReclaimer) throws(LugeError) -> Portion? {
    try lock.acquire()
    defer { lock.unlock() }
    let pin = try epochs.pin()
    defer { pin.end() }
    if tree >= trees.count {
      (tree, place) = (0, 0)
      return nil
    }
    let found = BLinkTree.owner(trees[tree])
    let first = place
    let root = found.root.load()
    place += ChunkClock.portion
    if root == 0 || place >= Branch(address: root).count { (tree, place) = (tree + 1, 0) }
    guard root != 0, found.beginMaintenance() else { return nil }
    let isLast = tree >= trees.count
    if isLast { tree = 0 }
    return Portion(tree: found, first: first, isLast: isLast)
  }
}

extension TreeContext {
  /// Rounds of the hand in which every chunk comes by twice.
  private static let mostRounds = 3

  /// Lets chunks go where they take more than their share of a memory that is full. Unpinned.
  @inline(__always)
  func trimChunksIfNeeded() throws(LugeError) {
    if chunks.bytes.load() > UInt64(cache.chunkLimit) { try trimChunks() }
  }

  @inline(never)
  private func trimChunks() throws(LugeError) {
    if epochs.account.estimate <= cache.fullLimit { return }
    _ = try evictChunks(to: cache.chunkLimit)
  }

  /// Lets chunks without a page in memory go until all take `target` bytes, or `most` are gone. Answers
  /// how many went. Unpinned.
  func evictChunks(to target: Int, most: Int = .max) throws(LugeError) -> Int {
    var gone = 0
    var rounds = 0
    while gone < most, rounds < TreeContext.mostRounds, chunks.bytes.load() > UInt64(target) {
      guard let portion = try chunks.next(epochs) else {
        rounds += 1
        continue
      }
      if portion.isLast { rounds += 1 }
      defer { portion.tree.endMaintenance() }
      for low in try portion.tree.idleChunks(from: portion.first, ChunkClock.portion) {
        if gone == most || chunks.bytes.load() <= UInt64(target) { return gone }
        if try portion.tree.evictChunk(covering: low) { gone += 1 }
      }
    }
    return gone
  }
}

extension BLinkTree {
  /// Low keys of those chunks, from a place in the root on, that nobody has looked at since this was asked
  /// last and that have no page in memory.
  fileprivate func idleChunks(from first: Int, _ count: Int) throws(LugeError) -> [[UInt8]] {
    let pin = try context.epochs.pin()
    defer { pin.end() }
    if self.root.load() == 0 { return [] }
    let root = Branch(address: self.root.load())
    var found: [[UInt8]] = []
    var index = first
    let end = min(first + count, root.count)
    while index < end {
      let chunk = Chunk(address: root.node(index))
      index += 1
      let word = chunk.word.load()
      guard ChunkWord.tag(word) == ChunkWord.resident else { continue }
      if chunk.visited.load() != 0 {
        chunk.visited.store(0)
        probe("cache.chunkPassedOver")
      } else if BLinkTree.isEmpty(ChunkWord.branch(word)) {
        found.append(chunk.low.copy())
      }
    }
    return found
  }

  /// Whether all its pages are on disk. Pinned.
  private static func isEmpty(_ branch: Branch) -> Bool {
    var index = 0
    while index < branch.count {
      let word = Page(address: branch.node(index)).word.load()
      if PageWord.tag(word) != PageWord.evicted { return false }
      index += 1
    }
    return true
  }

  /// Says that the chunk that covers `key` is of use though what it leads to is on disk. Pinned.
  func noteChunkVisit(_ key: ByteView) {
    let visited = findChunk(key).visited
    if visited.loadRelaxed() == 0 { visited.store(1) }
  }
}
