import Platform

/// The entries of a range as they are when iteration begins, copied, one after another. Each iteration has
/// a snapshot of its own. Reading an entry may block for one read from disk.
public struct EntrySequence: AsyncSequence, Sendable {
  /// What it gives.
  public typealias Element = Entry
  /// What it throws: `.treeNotFound`, `.closed`, and what the file system answers.
  public typealias Failure = LugeError

  let tree: Tree
  let range: KeyRange
  let isAscending: Bool

  /// An iterator over a snapshot of now.
  public func makeAsyncIterator() -> Iterator {
    Iterator(place: Place(tree.cursor(in: range)), isAscending: isAscending)
  }

  fileprivate final class Place {
    var cursor: Cursor
    init(_ cursor: consuming Cursor) { self.cursor = cursor }
  }

  /// Where one iteration stands.
  public struct Iterator: AsyncIteratorProtocol {
    fileprivate let place: Place
    fileprivate let isAscending: Bool

    /// The next entry in the order of the sequence; nil at its end.
    public mutating func next() async throws(LugeError) -> Entry? {
      isAscending ? try place.cursor.next() : try place.cursor.previous()
    }

    /// The same.
    public mutating func next(
      isolation actor: isolated (any Actor)?
    ) async throws(LugeError) -> Entry? {
      isAscending ? try place.cursor.next() : try place.cursor.previous()
    }
  }
}

extension Tree {
  /// The entries of a range as an asynchronous sequence, for `for try await`.
  public func stream(in range: KeyRange = .all, ascending: Bool = true) -> EntrySequence {
    EntrySequence(tree: self, range: range, isAscending: ascending)
  }
}
