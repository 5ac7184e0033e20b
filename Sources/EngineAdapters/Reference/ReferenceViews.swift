internal import EngineKit
internal import HistoryKit

/// A copy of everything.
final class ReferenceSnapshot: EngineSnapshot {
  private let contents: OrderedModel

  init(_ contents: OrderedModel) { self.contents = contents }

  func get(_ key: Bytes, in tree: TreeName) throws(EngineError) -> Bytes? {
    contents.value(for: key, in: tree)
  }

  func scan(
    _ range: KeyRange, _ direction: Direction, limit: Int, in tree: TreeName
  ) throws(EngineError) -> [Entry] {
    contents.scan(range, direction, limit: limit, in: tree)
  }
}

/// A copy of a range, and what of it was not met yet.
final class ReferenceCursor: EngineCursor {
  private let entries: [Entry]
  private var rest: Range<Int>

  init(_ entries: [Entry]) {
    self.entries = entries
    rest = entries.indices
  }

  func next() throws(EngineError) -> Entry? {
    guard let place = rest.popFirst() else { return nil }
    return entries[place]
  }

  func previous() throws(EngineError) -> Entry? {
    guard let place = rest.popLast() else { return nil }
    return entries[place]
  }
}
