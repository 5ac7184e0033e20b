internal import Platform

/// The cache's words within a page's descriptor, wherever the rest of it is defined.
///
/// ```
/// OFFSET SIZE DESCRIPTION
///     48    8 next page in a queue, or in the stack of newcomers; 0 in the last
///     56    8 page before in a queue; in no queue: the cache's clock when it was evicted, or 0
///     64    8 place: which queue, and how often it was passed over (EvictionQueue)
/// ```
/// Invariants: all three are guarded by the cache's lock, except that whoever puts a page onto the
/// stack, which nobody else does at that time, sets place and next before.
///
/// Safe: a page leaves its queue before it is freed.
@safe struct CacheLink: Equatable {
  private let base: UnsafeMutableRawPointer

  static let nextOffset = 48
  static let end = 72

  /// Of the page at an address.
  init(_ address: UInt64) {
    unsafe base = UnsafeMutableRawPointer(bitPattern: UInt(address)).unsafelyUnwrapped
  }

  static func == (left: CacheLink, right: CacheLink) -> Bool { unsafe left.base == right.base }

  var address: UInt64 { unsafe UInt64(UInt(bitPattern: base)) }
  var next: WordRef { unsafe WordRef(base, CacheLink.nextOffset) }
  var previous: WordRef { unsafe WordRef(base, 56) }
  var place: WordRef { unsafe WordRef(base, 64) }
}
