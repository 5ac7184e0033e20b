public import CPlatform

/// Lexicographic order of two runs of memory, the way keys are ordered: negative when the left one
/// comes first, 0 when they are equal, positive otherwise. A prefix comes before what it begins.
@inlinable @inline(__always)
@unsafe
public func compareBytes(
  _ left: UnsafeRawPointer, _ leftCount: Int, _ right: UnsafeRawPointer, _ rightCount: Int
) -> Int {
  unsafe Int(platform_compare(left, leftCount, right, rightCount))
}

/// The same over spans.
@inlinable @inline(__always)
public func compareBytes(_ left: RawSpan, _ right: RawSpan) -> Int {
  unsafe left.withUnsafeBytes { leftBytes in
    unsafe right.withUnsafeBytes { rightBytes in
      // An empty span may have no address; the callee looks at none then.
      unsafe Int(
        platform_compare(
          leftBytes.baseAddress, leftBytes.count, rightBytes.baseAddress, rightBytes.count))
    }
  }
}

/// Asks for a cache line before it is needed. A hint: any address is allowed.
@inlinable @inline(__always)
@unsafe
public func prefetch(_ address: UnsafeRawPointer) { unsafe platform_prefetch(address) }

/// The same for one that is needed later: into the second-level cache, which takes more at once.
@inlinable @inline(__always)
@unsafe
public func prefetchFar(_ address: UnsafeRawPointer) { unsafe platform_prefetch_far(address) }

/// The number of words below `bound`, of `count`, at least 1, that ascend. O(log n), without branches
/// that depend on the words.
@inlinable @inline(__always)
@unsafe
public func lowerBound(_ words: UnsafePointer<UInt64>, _ count: Int, _ bound: UInt64) -> Int {
  unsafe Int(bitPattern: UInt(platform_lower_bound(words, count, bound)))
}
