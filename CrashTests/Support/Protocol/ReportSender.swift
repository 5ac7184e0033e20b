internal import Platform

/// The child's side of the pipe. Reports of several threads do not mix: each is one call that the system
/// takes whole. Only `Gathering` is for one thread.
enum ReportSender {
  static func send(_ report: Report) {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(Report.head + report.body.count)
    report.append(to: &bytes)
    send(bytes)
  }

  static func phase(_ phase: Phase) { send(Report(.phase, number: phase.rawValue)) }

  fileprivate static func send(_ bytes: [UInt8]) {
    // Without a supervisor there is nothing left to do.
    do throws(PlatformError) { try ParentProcess.report(bytes) } catch { ThisProcess.exit(4) }
  }
}

/// Many reports of one thread, in few calls.
struct GatheredReports {
  private var bytes: [UInt8] = []

  mutating func add(_ report: Report) {
    report.append(to: &bytes)
    if bytes.count > 32 << 10 { send() }
  }

  mutating func send() {
    if bytes.isEmpty { return }
    ReportSender.send(bytes)
    bytes.removeAll(keepingCapacity: true)
  }
}
