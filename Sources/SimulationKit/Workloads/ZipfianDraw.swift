/// Ranks whose frequency falls as 1 / rank^0.99, YCSB's zipfian constant.
///
/// Everything is integer arithmetic, because tapes depend on it: the weights are
/// `2^40 * 2^(-0.99 * log2(rank))`, with logarithm and power computed bit by bit in fixed point. The
/// table of cumulative weights is made once; a draw is one choice and a binary search, and zero is
/// the most frequent rank.
public enum ZipfianDraw {
  /// The most ranks there are.
  public static let limit = 4096

  /// A rank in `0..<count`, 0 the most frequent.
  public static func rank(_ lane: ChoiceLane, below count: Int) -> Int {
    let count = min(max(count, 1), limit)
    let table = cumulative
    let drawn = lane.draw("zipfian", below: table[count - 1])
    // The first rank whose cumulative weight is above what was drawn.
    var low = 0
    var high = count - 1
    while low < high {
      let middle = (low + high) / 2
      if table[middle] > drawn { high = middle } else { low = middle + 1 }
    }
    return low
  }

  /// The share of rank `rank`, in units of 2^-40 of rank 0's.
  static func weight(_ rank: Int) -> UInt64 {
    let exponent = logarithm(UInt64(rank + 1)) / 100 * 99  // 32 fractional bits
    let whole = exponent >> 32
    return power(negativeFraction: exponent & 0xFFFF_FFFF) >> whole
  }

  private static let cumulative: [UInt64] = {
    var table: [UInt64] = []
    table.reserveCapacity(limit)
    var sum: UInt64 = 0
    var rank = 0
    while rank < limit {
      sum += weight(rank)
      table.append(sum)
      rank += 1
    }
    return table
  }()

  /// log2 with 32 fractional bits: square the mantissa, and each time it passes 2 a bit is set.
  private static func logarithm(_ number: UInt64) -> UInt64 {
    let whole = UInt64(63 - number.leadingZeroBitCount)
    var mantissa = number << (31 - whole)  // in 1..<2, 31 fractional bits
    var result = whole << 32
    var bit: UInt64 = 1 << 31
    while bit > 0 {
      mantissa = (mantissa * mantissa) >> 31
      if mantissa >= 1 << 32 {
        mantissa >>= 1
        result |= bit
      }
      bit >>= 1
    }
    return result
  }

  /// 2^40 * 2^(-fraction): the product of the roots 2^(-1/2), 2^(-1/4), ... of the bits that are set.
  private static func power(negativeFraction fraction: UInt64) -> UInt64 {
    var result: UInt64 = 1 << 40
    var root: UInt64 = 1 << 31  // 2^-1, 32 fractional bits; then its roots
    var bit: UInt64 = 1 << 31
    while bit > 0 {
      root = squareRoot(root << 32)
      if fraction & bit != 0 {
        let product = result.multipliedFullWidth(by: root)
        result = product.high << 32 | product.low >> 32
      }
      bit >>= 1
    }
    return result
  }

  private static func squareRoot(_ number: UInt64) -> UInt64 {
    var result: UInt64 = 0
    var bit: UInt64 = 1 << 31
    while bit > 0 {
      let candidate = result | bit
      if candidate * candidate <= number { result = candidate }
      bit >>= 1
    }
    return result
  }
}
