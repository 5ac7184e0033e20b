internal import Platform

/// How much memory a database uses: what its threads have allocated here, retired blocks included,
/// and what is charged by hand for buffers that lie elsewhere.
///
/// Reading takes no lock and stops nobody. While threads allocate, a sum over them may miss a block
/// and see its end; when they rest it is exact.
///
/// Safe because the table lives as long as the reclaimer that lends it.
@safe struct MemoryAccount: Sendable {
  // The address never changes; everything behind it is atomic words.
  nonisolated(unsafe) private let table: UnsafeMutableRawPointer

  @unsafe @inline(__always)
  init(_ table: UnsafeMutableRawPointer) { unsafe self.table = table }

  /// Bytes in use, to the byte: blocks of records, leaves and pages as their size classes round
  /// them, and what is charged. One load for each thread that ever took part.
  var bytes: Int {
    // A sum taken while others work may be short by a block that was counted elsewhere.
    max(0, Int(truncatingIfNeeded: allocatedBytes &+ charged.load()))
  }

  /// The same, behind by less than the grain for each thread, and with what free blocks overdraw:
  /// three loads, for every write.
  @inline(__always)
  var estimate: Int {
    let published = unsafe WordRef(table, EpochTable.published).load()
    let overdraft = unsafe WordRef(table, EpochTable.overdraft).load()
    return max(0, Int(truncatingIfNeeded: published &+ charged.load() &+ overdraft))
  }

  /// Without what free blocks overdraw, which no eviction may be able to change.
  var used: Int {
    let published = unsafe WordRef(table, EpochTable.published).load()
    return max(0, Int(truncatingIfNeeded: published &+ charged.load()))
  }

  /// Bytes allocated and not yet freed, without what is charged.
  var allocatedBytes: UInt64 {
    var sum: UInt64 = 0
    let used = unsafe Int(WordRef(table, EpochTable.used).load())
    var index = 0
    while index < used {
      if let place = unsafe EpochTable.place(table, index) {
        sum &+= unsafe WordRef(place, PinLayout.bytes).loadRelaxed()
      }
      index += 1
    }
    return sum
  }

  /// Bytes of slabs in use: above what their blocks use by what is free in them.
  var slabBytes: Int { unsafe Int(WordRef(table, EpochTable.slabBytes).load()) }

  /// What is taken of the system's memory: slabs, large blocks, and what is charged.
  var taken: Int { unsafe MemoryAccount.taken(table) }

  @unsafe
  static func taken(_ table: UnsafeMutableRawPointer) -> Int {
    let slabs = unsafe WordRef(table, EpochTable.slabBytes).load()
    let large = unsafe WordRef(table, EpochTable.largeBytes).load()
    let charged = unsafe WordRef(table, EpochTable.charged).load()
    return Int(truncatingIfNeeded: slabs &+ large &+ charged)
  }

  /// From here on slabs that would take more than so many bytes of the system's, with all the rest, are
  /// counted as in use whatever is free in them, and empty ones are given back.
  func setSystemLimit(_ bytes: Int) {
    unsafe WordRef(table, EpochTable.systemLimit).storeRelaxed(UInt64(bytes))
    if bytes == 0 { return }
    let cached = min(SizeClass.cachedBytes, max(1024, bytes / 4096))
    unsafe WordRef(table, EpochTable.cachedBytes).storeRelaxed(UInt64(cached))
  }

  /// Counts memory that lies elsewhere: a buffer, a table. Negative gives it back.
  func charge(_ bytes: Int) { _ = charged.fetchAdd(UInt64(bitPattern: Int64(bytes))) }

  /// Bytes that a thread may gain or lose before `estimate` shows them: smaller is exacter and
  /// dearer.
  func setGrain(_ bytes: Int) {
    unsafe WordRef(table, EpochTable.grain).storeRelaxed(UInt64(max(1, bytes)))
  }

  private var charged: WordRef { unsafe WordRef(table, EpochTable.charged) }
}
