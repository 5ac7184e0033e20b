internal import EngineKit
internal import Platform

/// Opens what a killed process has left, and tells all that is in it. A process of its own, so that a trap or a wait
/// without end is a finding.
struct CheckingChild {
  let subject: any CrashSubject
  let options: ChildOptions

  /// Times that an engine may settle, and nanoseconds between them.
  static let mostRounds = 24
  static let pause: UInt64 = 2_000_000

  /// The exit code.
  func run() -> Int32 {
    ReportSender.phase(.opening)
    do throws(EngineError) {
      let engine = try options.open(subject)
      ReportSender.phase(.open)
      if options.ending != .measure { try tellAll(engine) }
      ReportSender.phase(.read)
      switch options.ending {
      case .wait: return wait()
      case .close: break
      case .empty:
        try removeAll(engine)
        try settle(engine)
        tellSpace()
      case .settle, .measure:
        try settle(engine)
        tellSpace()
      }
      ReportSender.phase(.closing)
      try engine.close()
      ReportSender.phase(.closed)
      return 0
    } catch {
      ReportSender.send(Report(.refused, text: FailureText.encode(error)))
      return 3
    }
  }

  /// For the kill that ends it.
  private func wait() -> Int32 {
    // Longer than any supervisor waits.
    do throws(PlatformError) {
      try options.platform.clock.sleep(nanoseconds: 3_600_000_000_000)
    } catch {}
    return 4
  }

  // MARK: Reading

  private func tellAll(_ engine: any KeyValueEngine) throws(EngineError) {
    var reports = GatheredReports()
    for name in try engine.treeNames().sorted() {
      var head = Report(.tree)
      head.body = Array(name.utf8)
      reports.add(head)
      let entries = try engine.scan(.all, .forward, limit: .max, in: name)
      for entry in entries {
        var report = Report(.entry, number: entry.key.count)
        report.body = entry.key + entry.value
        reports.add(report)
      }
      let backward = try engine.scan(.all, .backward, limit: .max, in: name)
      if !isReverse(entries, backward) {
        reports.add(
          Report(
            .wrong,
            text:
              "tree \"\(name)\": a scan backward shows \(backward.count) entries, which are not "
              + "the \(entries.count) of a scan forward"))
      }
      let count = try engine.count(in: name)
      if count != entries.count {
        reports.add(
          Report(
            .wrong, text: "tree \"\(name)\" says it has \(count) entries, and has \(entries.count)")
        )
      }
    }
    for finding in try engine.checkInvariants() { reports.add(Report(.finding, text: finding)) }
    reports.send()
  }

  private func isReverse(_ forward: [Entry], _ backward: [Entry]) -> Bool {
    guard forward.count == backward.count else { return false }
    var place = 0
    while place < forward.count {
      let other = backward[backward.count - 1 - place]
      if !forward[place].key.isSame(as: other.key) || !forward[place].value.isSame(as: other.value)
      {
        return false
      }
      place += 1
    }
    return true
  }

  // MARK: Space

  private func removeAll(_ engine: any KeyValueEngine) throws(EngineError) {
    for tree in try engine.treeNames().sorted() {
      for entry in try engine.scan(.all, .forward, limit: .max, in: tree) {
        _ = try engine.remove(entry.key, in: tree)
      }
    }
  }

  /// Gives the engine every chance to give back what it does not need: as long as that helps.
  private func settle(_ engine: any KeyValueEngine) throws(EngineError) {
    var round = 0
    var best = Int64.max
    var idle = 0
    while round < Self.mostRounds && idle < 4 {
      round += 1
      if options.factory.capabilities.contains(.checkpoints) { try engine.checkpoint() }
      try engine.performBackgroundWork()
      do throws(PlatformError) {
        try options.platform.clock.sleep(nanoseconds: Self.pause)
      } catch { return }
      let bytes = Folder(options.directory, options.platform.files).allocatedBytes
      idle = bytes < best ? 0 : idle + 1
      best = min(best, bytes)
    }
  }

  private func tellSpace() {
    var report = Report(.space)
    report.word = UInt64(Folder(options.directory, options.platform.files).allocatedBytes)
    ReportSender.send(report)
  }
}
