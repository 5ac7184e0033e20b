/// How a memory budget is shared out, in bytes.
struct MemoryLimits: Equatable, Sendable {
  /// Buffers that are there from the beginning, charged to the account.
  var fixed = 0
  /// With more than this in use, pages are evicted before more is allocated.
  var limit = Int.max
  /// With more than this in use, the eviction thread is called.
  var softLimit = Int.max
  /// With no more than this in use, it rests.
  var restLimit = Int.max
  /// With more than this in use, a page comes into memory only when it is read again soon.
  var fullLimit = Int.max
  /// With more than this in use, writers wait.
  var hardLimit = Int.max
  /// With no more than this in use for them, chunks stay when their last page leaves memory.
  var chunkLimit = 0
  /// What a thread may allocate before the others hear of it.
  var grain = 16 << 10
  /// With more than this taken from the system, empty slabs go back; 0: never.
  var systemLimit = 0
  /// Pages that stay in memory whatever comes.
  var floor = 8

  /// No limit.
  init() {}

  /// Of a whole budget. `chunks`: the share of it that chunks may take, in thousandths.
  init(budget: Int, fixed: Int, chunks: Int) {
    self.fixed = fixed
    let data = max(0, budget - fixed)
    // Threads that are past admission allocate on, and what they retire goes a little later.
    limit = budget - data / 16
    softLimit = limit - data / 64
    restLimit = softLimit - data / 64
    fullLimit = restLimit - data / 64
    hardLimit = budget + data / 16
    chunkLimit = data / 1000 * chunks
    grain = min(16 << 10, max(256, data / 256))
    // Below that the slabs of a few size classes are more than the budget.
    // Free blocks overdraw it by a few hundredths.
    if data >= 4 << 20 { systemLimit = limit - data / 16 }
    floor = min(8, max(2, data >> 14))
  }
}
