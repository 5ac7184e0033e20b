internal import Platform

/// Shared memory as a simulation watches it; see `SharedMemory`. Only a build with schedule points tells.
extension Simulation {
  /// A thread that touches what is free never runs on: what it would do then says nothing.
  func touchedMemory(_ address: UInt) {
    guard let thread = scheduler.current, !scheduler.isUnwinding,
      let freed = memory.freedBlock(at: address)
    else { return }
    let text =
      "\(thread.name) (t\(thread.id)) touches byte \(address - freed.address) of a block of "
      + "\(freed.bytes) bytes at call \(scheduler.seamCalls), after \(thread.place); "
      + "t\(freed.thread) freed it at call \(freed.call), after \(freed.place)"
    scheduler.beginUnwinding(.brokenMemory(text), at: "freed memory")
    scheduler.abandon(thread)
  }

  func block(_ address: UInt, _ bytes: Int) -> SharedMemory.Block {
    SharedMemory.Block(
      address: address, bytes: bytes, thread: scheduler.current?.id ?? 0,
      call: scheduler.seamCalls, place: scheduler.current?.place ?? "the world outside")
  }

  /// What the process that has ended did not free, as a sentence; nil when it freed all.
  public var leak: String? {
    guard let (count, bytes, oldest) = memory.leaks else { return nil }
    return
      "\(count) blocks of \(bytes) bytes were never freed; the oldest, of \(oldest.bytes) bytes, "
      + "was allocated by t\(oldest.thread) at call \(oldest.call), after \(oldest.place)"
  }

  /// The memory of a process goes with it.
  func beginMemory() {
    freeKept()
    let keeps = memory.keepsFreed
    memory = SharedMemory()
    memory.keepsFreed = keeps
  }

  func freeKept() {
    for address in memory.kept {
      // Kept from being used again since `freed`, where its owner gave it up; see `noteFree`.
      unsafe UnsafeMutableRawPointer(bitPattern: address)?.deallocate()
    }
  }
}
