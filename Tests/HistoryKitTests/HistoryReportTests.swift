import EngineKit
import HistoryKit
import Testing

@Suite struct HistoryReportTests {
  private func page() -> String {
    let script = Script()
    script.put("<a>", "1 & \"2\"")
    script.flush()
    script.begin(3, insert("b", "</script>"))
    script.crash(finds: [])
    return HistoryReport(
      verdict: .invalid, scenario: "torture <1>", engine: "reference",
      violations: script.judge.violations, replayCommand: "simulate replay file.json",
      facts: [.init("seed", "42")]
    ).html(script.judge.history)
  }

  @Test func pageTellsWhatHappened() {
    let page = page()
    for text in [
      "torture &lt;1&gt;", "durability", "simulate replay file.json", "client 0", "client 3",
      "crash: powerLoss", "never returned", "<dt>seed</dt><dd>42</dd>", "recovered 0 entries",
    ] { #expect(page.contains(text), "\(text)") }
  }

  @Test func pageIsSelfContainedAndClosed() {
    let page = page()
    for text in ["http", "src=", "@import", "url("] { #expect(!page.contains(text), "\(text)") }
    // What clients wrote can neither open an element nor end the script.
    #expect(!page.contains("<a>"))
    #expect(page.components(of: "</script>") == 1)
    #expect(page.components(of: "<tr") == page.components(of: "</tr>"))
  }

  @Test func valueIsOneLineOfJSON() throws {
    let page = page()
    let start = try #require(page.range(of: "id=\"report\">"))
    let end = try #require(page.range(of: "</script>"))
    let value = page[start.upperBound..<end.lowerBound]
    #expect(value.first == "{" && value.last == "}")
    #expect(!value.contains("\n"))
    var depth = 0
    var inside = false
    var escape = false
    for character in value {
      if escape {
        escape = false
      } else if inside {
        if character == "\\" { escape = true }
        if character == "\"" { inside = false }
      } else {
        switch character {
        case "\"": inside = true
        case "{", "[": depth += 1
        case "}", "]": depth -= 1
        default: break
        }
      }
    }
    #expect(depth == 0 && !inside)
  }
}

extension String {
  fileprivate func components(of text: String) -> Int {
    var count = 0
    var rest = self[...]
    while let found = rest.firstRange(of: text) {
      count += 1
      rest = rest[found.upperBound...]
    }
    return count
  }
  fileprivate func range(of text: String) -> Range<Index>? { firstRange(of: text) }
}
