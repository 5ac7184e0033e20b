import Testing

@testable import Luge

/// The order of what pages lack of the redo: by key, and of one key by LSN.
@Suite struct PendingRedoTests {
  private struct Operation: Equatable {
    var key: [UInt8]
    var lsn: UInt64
  }

  /// What comes out for operations at ascending LSNs.
  private func sorted(_ keys: [[UInt8]]) -> [Operation] {
    let pending = PendingRedo()
    for (index, key) in keys.enumerated() {
      // Copied by the call.
      unsafe key.withUnsafeBytes { bytes in
        unsafe pending.add(
          tree: 1, key: bytes, lsn: UInt64(1000 + 8 * index), offset: 0, operation: bytes)
      }
    }
    pending.sort()
    guard let place = pending.place(of: 1) else { return [] }
    return (0..<pending.count(place)).map { index in
      let record = pending.record(place, index)
      // Of memory that `pending` owns, which lives on.
      let key = unsafe [UInt8](
        UnsafeRawBufferPointer(start: record.key.base, count: record.key.count))
      return Operation(key: key, lsn: record.lsn)
    }
  }

  private func expected(_ keys: [[UInt8]]) -> [Operation] {
    keys.enumerated().map { Operation(key: $1, lsn: UInt64(1000 + 8 * $0)) }
      .sorted { left, right in
        left.key != right.key
          ? left.key.lexicographicallyPrecedes(right.key) : left.lsn < right.lsn
      }
  }

  /// Few are sorted in another way than many; keys repeat, share beginnings, and end within them.
  @Test(arguments: [1, 2, 3, 5, 17, 31, 32, 33, 34, 64, 257, 1000])
  func operationsAreInOrderOfKeyAndLSN(_ count: Int) {
    for seed in 0..<20 as Range<UInt64> {
      var random = SplitMix(seed)
      let shared = [UInt8](repeating: 0x6B, count: random.below(12))
      let keys = (0..<count).map { _ in
        shared
          + (0..<random.below(12)).map { _ in
            [0, 1, 0x62, 0xFF][random.below(4)] as UInt8
          }
      }
      #expect(sorted(keys) == expected(keys))
    }
  }

  @Test func memoryGrowsWithWhatThereIs() {
    let pending = PendingRedo()
    #expect(pending.bytes == 0)
    var former = 0
    for number in 0..<3000 as Range<UInt64> {
      let key = [UInt8](repeating: UInt8(number % 251), count: 300)
      // Copied by the call.
      unsafe key.withUnsafeBytes { bytes in
        unsafe pending.add(tree: number % 3, key: bytes, lsn: number, offset: 0, operation: bytes)
      }
      #expect(pending.bytes > former)
      former = pending.bytes
    }
    pending.sort()
    #expect((0..<pending.treeCount).map { pending.count($0) } == [1000, 1000, 1000])
  }
}
