/// What lanes append to. Apart from the tape, so that a lane need not hold its tape; in raw memory,
/// because draws are many and an array in a class costs several times as much for each.
///
/// Invariant: the first `count` places of `entries` are initialized, `capacity` are allocated.
/// Safe: the memory never leaves this class, and indexes are checked.
@safe
final class ChoiceRecording {
  /// One choice, 40 bytes. The label is a pointer to a literal.
  struct Entry {
    var label: StaticString
    var beginsGroup: Bool
    var lane: UInt16
    var bound: UInt64
    var value: UInt64
  }

  private(set) var count = 0
  private var capacity = 1024
  private var entries: UnsafeMutablePointer<Entry>

  init() { unsafe entries = .allocate(capacity: 1024) }

  // The entries are plain values: nothing to deinitialize.
  deinit { unsafe entries.deallocate() }

  subscript(index: Int) -> Entry {
    precondition(index >= 0 && index < count)
    return unsafe entries[index]
  }

  @inline(__always)
  func append(_ entry: Entry) {
    if count == capacity { grow() }
    unsafe (entries + count).initialize(to: entry)
    count += 1
  }

  @inline(never)
  private func grow() {
    let larger = UnsafeMutablePointer<Entry>.allocate(capacity: capacity * 2)
    unsafe larger.moveInitialize(from: entries, count: count)
    unsafe entries.deallocate()
    unsafe entries = larger
    capacity *= 2
  }
}
