/// How many live entries a page or a chunk has on disk, where that may not be known: fragments that
/// were written without a look at the base may have keys that it lacks.
///
/// A count that is not negative is exact. Any other one is the complement of what is taken for the
/// count until the page is read.
enum EntryCount {
  @inline(__always) static func known(_ entries: Int) -> Int { entries < 0 ? ~entries : entries }
  @inline(__always) static func isExact(_ entries: Int) -> Bool { entries >= 0 }
  @inline(__always) static func inexact(_ entries: Int) -> Int { entries < 0 ? entries : ~entries }

  static func sum(_ left: Int, _ right: Int) -> Int {
    let sum = known(left) + known(right)
    return left < 0 || right < 0 ? ~sum : sum
  }

  /// On disk: twice the count, and one more where it is not exact.
  static func encoded(_ entries: Int) -> UInt64 {
    UInt64(known(entries)) << 1 | (entries < 0 ? 1 : 0)
  }

  static func decoded(_ word: UInt64) -> Int {
    let known = Int(word >> 1)
    return word & 1 == 0 ? known : ~known
  }
}
