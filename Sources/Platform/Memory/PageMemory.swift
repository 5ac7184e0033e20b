internal import CPlatform

/// Hints about memory that the caller owns.
public enum PageMemory {
  /// Asks for large pages under a run of memory, which saves faults and translations. Changes no
  /// byte; does nothing where the system has none.
  @unsafe
  public static func preferLarge(_ base: UnsafeMutableRawPointer, _ bytes: Int) {
    unsafe platform_prefer_large_pages(base, bytes)
  }

  /// Gives the memory under whole pages back to the system; the range stays usable, its bytes are
  /// lost.
  @unsafe
  public static func discard(_ base: UnsafeMutableRawPointer, _ bytes: Int) {
    unsafe platform_discard_pages(base, bytes)
  }
}
