internal import Foundation
internal import Synchronization

/// How far a campaign is, on standard error: one line drawn again on a terminal, a line every
/// ten seconds in a pipe.
final class Progress: Sendable {
  private let total: Int
  private let noun: String
  private let begin = ProcessInfo.processInfo.systemUptime
  private let state = Mutex(State())

  private struct State {
    var shown = 0.0
    var failures = 0
    var hasLine = false
  }

  /// - Parameter noun: what is counted, in the plural.
  init(total: Int, noun: String = "tapes") {
    self.total = total
    self.noun = noun
  }

  /// Since the campaign began.
  var seconds: Double { ProcessInfo.processInfo.systemUptime - begin }

  func update(done: Int, newFailures: Int) {
    let seconds = seconds
    state.withLock { state in
      state.failures += newFailures
      if seconds - state.shown < (Console.errorIsTerminal ? 0.2 : 10) { return }
      state.shown = seconds
      let rate = Double(done) / max(seconds, 0.001)
      let left = Int((Double(total - done) / max(rate, 0.001)).rounded(.up))
      let line =
        "\(done) of \(total) \(noun), \(Int(rate.rounded())) a second, \(left) s left, "
        + "\(state.failures) failing"
      if Console.errorIsTerminal {
        Console.errorPart("\r\u{1B}[K\(line)")
        state.hasLine = true
      } else {
        Console.error(line)
      }
    }
  }

  func note(_ text: String) {
    finish()
    Console.error(text)
  }

  /// Ends the line that is drawn again.
  func finish() {
    state.withLock { state in
      if state.hasLine { Console.errorPart("\r\u{1B}[K") }
      state.hasLine = false
    }
  }
}
