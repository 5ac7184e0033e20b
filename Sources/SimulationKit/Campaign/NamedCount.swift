/// A name and how often it was met.
public struct NamedCount: Equatable, Hashable, Sendable {
  public var name: String
  public var count: Int
  public init(_ name: String, _ count: Int) {
    self.name = name
    self.count = count
  }

  /// Two lists in ascending order of names as one; counts of equal names add up.
  public static func merge(_ left: [NamedCount], _ right: [NamedCount]) -> [NamedCount] {
    if left.isEmpty { return right }
    var merged: [NamedCount] = []
    var (l, r) = (0, 0)
    while l < left.count || r < right.count {
      if r == right.count || (l < left.count && left[l].name < right[r].name) {
        merged.append(left[l])
        l += 1
      } else if l == left.count || right[r].name < left[l].name {
        merged.append(right[r])
        r += 1
      } else {
        merged.append(NamedCount(left[l].name, left[l].count + right[r].count))
        l += 1
        r += 1
      }
    }
    return merged
  }
}
