internal import EngineKit
import Luge

/// A cursor of Luge as a scan that is read bit by bit.
final class LugeCursor: ScanCursor {
  private var cursor: Cursor?
  private let direction: Direction

  init(_ cursor: consuming Cursor, _ direction: Direction) {
    self.cursor = consume cursor
    self.direction = direction
  }

  func next() throws(EngineError) -> EngineKit.Entry? {
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

  func close() { _ = cursor.take() }
}
