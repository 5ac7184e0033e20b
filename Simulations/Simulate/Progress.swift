internal import Foundation
internal import Synchronization

/// How far a campaign is, on standard error.
final class Progress: Sendable {
  private let total: Int
  private let noun: String
  private let begin = ProcessInfo.processInfo.systemUptime
  private let state = Mutex(State())

  private struct State {
    var failures = 0
    var line = ProgressLine()
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
      guard state.line.isDue(at: seconds) else { return }
      let rate = Double(done) / max(seconds, 0.001)
      let left = Int((Double(total - done) / max(rate, 0.001)).rounded(.up))
      state.line.show(
        "\(done) of \(total) \(noun), \(Int(rate.rounded())) a second, \(left) s left, "
          + "\(state.failures) failing")
    }
  }

  func note(_ text: String) {
    finish()
    Console.error(text)
  }

  /// Ends the line that is drawn again.
  func finish() { state.withLock { $0.line.erase() } }
}

/// One line drawn again on a terminal, a line every ten seconds in a pipe.
struct ProgressLine {
  private var shown = 0.0
  private var isDrawn = false

  /// Whether enough time has passed since the last one. Says so once.
  mutating func isDue(at seconds: Double) -> Bool {
    if seconds - shown < (Console.errorIsTerminal ? 0.2 : 10) { return false }
    shown = seconds
    return true
  }

  mutating func show(_ text: String) {
    if Console.errorIsTerminal {
      Console.errorPart("\r\u{1B}[K\(text)")
      isDrawn = true
    } else {
      Console.error(text)
    }
  }

  mutating func erase() {
    if isDrawn { Console.errorPart("\r\u{1B}[K") }
    isDrawn = false
  }
}
