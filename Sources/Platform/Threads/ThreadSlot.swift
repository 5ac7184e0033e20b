public import CPlatform

/// A small number that the calling thread holds alone, in `0..<ThreadSlot.limit`: the index of its
/// place in epoch, hazard and snapshot tables. A real thread takes one at first use and gives it back when it
/// ends; a simulated scheduler sets it at every switch, because fibres share thread-local storage.
public enum ThreadSlot {
  /// The most threads that may hold a slot at once.
  public static let limit = 1024

  /// The caller's slot; negative when more than `limit` threads hold one (the caller reports it).
  @inlinable @inline(__always)
  public static var current: Int {
    let slot = platform_thread_slot()
    return slot >= 0 ? Int(slot) : Int(platform_thread_slot_acquire())
  }
}
