import EngineKit
import Testing

@testable import CrashSupport

@Suite struct ReportTests {
  private func reports() -> [Report] {
    var done = Report(.done, client: 3, number: 1 << 40)
    done.flag = true
    done.word = .max
    var entry = Report(.entry, number: 2)
    entry.body = [UInt8](repeating: 7, count: 100_000)
    return [
      Report(.phase, number: Phase.open.rawValue), done, entry,
      Report(.failed, client: 1, number: 5, text: "noSpace failed no space left"),
    ]
  }

  @Test func whatIsSentArrives() throws {
    var bytes: [UInt8] = []
    for report in reports() { report.append(to: &bytes) }
    var start = 0
    for sent in reports() {
      let found = try #require(Report(bytes, at: start))
      #expect(found.kind == sent.kind && found.client == sent.client && found.flag == sent.flag)
      #expect(found.number == sent.number && found.word == sent.word && found.body == sent.body)
      start += Report.head + found.body.count
    }
    #expect(start == bytes.count)
  }

  /// A kill may cut the last one short.
  @Test func whatIsNotWholeIsNoReport() {
    var bytes: [UInt8] = []
    Report(.wrong, text: "no").append(to: &bytes)
    #expect(Report(bytes, at: 0) != nil)
    for length in 0..<bytes.count { #expect(Report(Array(bytes[..<length]), at: 0) == nil) }
  }

  @Test func errorsComeBackAsTheyWere() {
    for refused in [true, false] {
      let error = EngineError(.noSpace, "no space left on disk", isRefused: refused)
      #expect(FailureText.decode(FailureText.encode(error)) == error)
    }
    #expect(FailureText.decode("what is this").code == .other)
  }

  /// What must arrive in one piece is never longer than the system takes in one piece.
  @Test func textsAreCut() {
    let long = String(repeating: "x", count: 10_000)
    #expect(Report(.wrong, text: long).body.count + Report.head == Report.most)
  }
}
