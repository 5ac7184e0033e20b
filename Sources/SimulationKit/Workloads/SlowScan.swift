internal import EngineKit
internal import HistoryKit

/// A scan of one client that goes on while the client does other things. The judge sees one scan, from
/// its beginning to its end.
public final class SlowScan {
  private let run: TapeRun
  private let call: Call
  private var cursor: (any EngineCursor)?
  private let direction: Direction
  private var entries: [Entry] = []
  /// Nothing more can be read.
  public private(set) var isOver = false

  init(_ run: TapeRun, _ call: Call, _ cursor: any EngineCursor, _ direction: Direction) {
    self.run = run
    self.call = call
    self.cursor = cursor
    self.direction = direction
  }

  /// Reads at most `count` entries more, and ends at the end of the range.
  public func advance(_ count: Int) {
    var left = count
    while left > 0 && !isOver {
      left -= 1
      do throws(EngineError) {
        let entry = direction == .forward ? try cursor?.next() : try cursor?.previous()
        guard let entry else { return end(.entries(entries)) }
        entries.append(entry)
      } catch {
        end(.failure(error.code, message: error.message, refused: error.isRefused))
      }
      if !run.simulation.isAlive { isOver = true }
    }
  }

  /// Reads the rest.
  public func finish() { advance(.max) }

  private func end(_ outcome: Outcome) {
    isOver = true
    cursor = nil
    run.ended(call, outcome)
  }
}
