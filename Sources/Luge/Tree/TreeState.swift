/// Whether a tree takes operations.
enum TreeState: UInt64, Sendable {
  case open = 0
  /// Operations throw `.treeNotFound`.
  case dropped = 1
  /// Operations throw `.closed`.
  case closed = 2
}
