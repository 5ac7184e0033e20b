internal import EngineKit
import Luge

/// A cursor of Luge, read from both ends.
final class LugeCursor: EngineCursor {
  private var cursor: Cursor?

  init(_ cursor: consuming Cursor) { self.cursor = consume cursor }

  func next() throws(EngineError) -> EngineKit.Entry? { try move(.forward) }
  func previous() throws(EngineError) -> EngineKit.Entry? { try move(.backward) }

  private func move(_ direction: Direction) throws(EngineError) -> EngineKit.Entry? {
    // Out of its place while it moves: others may run meanwhile, and must not meet an access under way.
    guard var moving = cursor.take() else { return nil }
    var entry: Luge.Entry?
    var failure: LugeError?
    do throws(LugeError) {
      entry = direction == .forward ? try moving.next() : try moving.previous()
    } catch {
      failure = error
    }
    cursor = consume moving
    if let failure { throw EngineError(luge: failure) }
    return entry.map { EngineKit.Entry($0.key, $0.value) }
  }
}
