internal import Platform

/// How a child ended, and what had been heard of it by then.
struct ChildResult {
  var end = ChildProcess.End.exit(0)
  /// It was killed by us, as planned, and died of that.
  var isStruck = false
  var phase = Phase.starting
  /// Begun and not ended.
  var underWay: [(client: Int, what: Announced)] = []
  /// All that it said, in order. It is judged when the child is gone: to judge takes longer than to work, and the
  /// kill is to strike when it was meant to.
  var reports: [Report] = []
  /// Nothing was heard of it for so long that it was given up: what its threads did then.
  var stuck: String?
  /// What it wrote that is no report.
  var nonsense = false

  /// Where a kill struck. A checkpoint is rarer than a flush, so it counts where both were under way.
  func place(_ state: DirectoryState) -> KillPlace {
    switch phase {
    case .starting, .opening: return state == .crashed ? .recovery : .open
    case .closing, .closed: return .close
    case .open, .read: break
    }
    for kind in [Announced.checkpoint, .clean, .flush]
    where underWay.contains(where: { $0.what == kind }) {
      switch kind {
      case .checkpoint: return .checkpoint
      case .clean: return .clean
      case .flush: return .flush
      }
    }
    return .elsewhere
  }
}

/// Starts one child, listens to it, kills it when the time has come, and listens until all was heard that it had said.
struct ChildRun {
  let platform: PlatformServices
  let program: String
  let log: String
  /// Nanoseconds without a word after which a child counts as one that hangs.
  let patience: UInt64

  private struct Watch {
    var result = ChildResult()
    var bytes: [UInt8] = []
    var taken = 0
    var answered = 0
    var asked = [0, 0, 0, 0]
    var heard: Instant
    /// When the phase, or what is under way of a client, began.
    var phaseBegan: Instant
    var begun: [(client: Int, at: Instant)] = []
    var killAt: Instant?
  }

  /// `state`: how the directory was left, for what opening it counts as.
  func run(
    _ options: ChildOptions, _ strike: Strike?, measuring durations: inout Durations,
    _ state: DirectoryState
  ) throws(PlatformError) -> ChildResult {
    let child = try ChildProcess(program, options.arguments, log: log)
    let start = platform.clock.now()
    var watch = Watch(heard: start, phaseBegan: start)
    var isKilled = false
    while true {
      var deadline = watch.heard.advanced(byNanoseconds: patience)
      if let killAt = watch.killAt, !isKilled {
        // Short delays are waited for exactly; the pipe has room for what comes meanwhile.
        let now = platform.clock.now()
        if killAt <= now || killAt.nanoseconds - now.nanoseconds < 4_000_000 {
          if killAt > now {
            try platform.clock.sleep(nanoseconds: killAt.nanoseconds - now.nanoseconds)
          }
          child.kill()
          isKilled = true
        } else {
          deadline = Instant(nanoseconds: killAt.nanoseconds - 2_000_000)
        }
      }
      guard let goesOn = try child.read(into: &watch.bytes, until: deadline) else {
        if watch.killAt != nil, !isKilled { continue }
        watch.result.stuck = ProcessStatus.threads(of: child.number, platform.files)
        child.kill()
        isKilled = true
        watch.heard = platform.clock.now()
        continue
      }
      if !goesOn { break }
      watch.heard = platform.clock.now()
      listen(&watch, strike, state, &durations)
      if watch.result.nonsense && !isKilled {
        child.kill()
        isKilled = true
      }
    }
    watch.result.end = try child.wait()
    watch.result.isStruck =
      isKilled && watch.result.end == .signal(9) && watch.result.stuck == nil
    return watch.result
  }

  private func listen(
    _ watch: inout Watch, _ strike: Strike?, _ state: DirectoryState,
    _ durations: inout Durations
  ) {
    while watch.bytes.count - watch.taken >= Report.head {
      guard let report = Report(watch.bytes, at: watch.taken) else {
        if Report.Kind(rawValue: watch.bytes[watch.taken]) == nil { watch.result.nonsense = true }
        break
      }
      watch.taken += Report.head + report.body.count
      note(report, &watch, state, &durations)
      watch.result.reports.append(report)
      if let strike, watch.killAt == nil, isTriggered(strike.trigger, report, watch) {
        watch.killAt = watch.heard.advanced(byNanoseconds: strike.delay)
      }
    }
    if watch.taken > 1 << 16 || watch.taken == watch.bytes.count {
      watch.bytes.removeFirst(watch.taken)
      watch.taken = 0
    }
  }

  private func note(
    _ report: Report, _ watch: inout Watch, _ state: DirectoryState,
    _ durations: inout Durations
  ) {
    switch report.kind {
    case .phase:
      let took = watch.heard.nanoseconds - watch.phaseBegan.nanoseconds
      if watch.result.phase == .opening { durations.add(state.opening, took) }
      if watch.result.phase == .closing { durations.add(.closing, took) }
      watch.result.phase = Phase(rawValue: report.number) ?? .starting
      watch.phaseBegan = watch.heard
    case .asked:
      guard let what = Announced(rawValue: Int(report.word)) else { return }
      watch.asked[what.rawValue] += 1
      watch.result.underWay.append((report.client, what))
      watch.begun.append((report.client, watch.heard))
    case .done, .failed:
      watch.answered += 1
      guard let place = watch.result.underWay.firstIndex(where: { $0.client == report.client })
      else { return }
      let took = watch.heard.nanoseconds - watch.begun[place].at.nanoseconds
      switch watch.result.underWay[place].what {
      case .flush: durations.add(.flush, took)
      case .checkpoint: durations.add(.checkpoint, took)
      case .clean: durations.add(.clean, took)
      }
      watch.result.underWay.remove(at: place)
      watch.begun.remove(at: place)
    default: break
    }
  }

  private func isTriggered(_ trigger: Strike.Trigger, _ report: Report, _ watch: Watch) -> Bool {
    switch trigger {
    case .phase(let phase): report.kind == .phase && report.number == phase.rawValue
    case .reports(let count): watch.answered >= count
    case .asked(let what, let count):
      report.kind == .asked && Int(report.word) == what.rawValue
        && watch.asked[what.rawValue] >= count
    }
  }
}

/// What the system says of a process that hangs.
enum ProcessStatus {
  /// Its threads by name, and where in the kernel each waits, where the system tells.
  static func threads(of process: Int64, _ files: any FileSystem) -> String {
    let folder = "/proc/\(process)/task"
    var lines: [String] = []
    do throws(PlatformError) {
      for thread in try files.list(folder) {
        let name = text(folder + "/" + thread + "/comm", files)
        let place = text(folder + "/" + thread + "/wchan", files)
        lines.append("\(name) in \(place.isEmpty || place == "0" ? "no wait" : place)")
      }
    } catch { return "its threads cannot be seen" }
    return lines.joined(separator: ", ")
  }

  /// Up to 4 KiB of a file without its last line break; empty where it cannot be read.
  static func text(_ path: String, _ files: any FileSystem) -> String {
    do throws(PlatformError) {
      let file = try files.open(path, .read)
      defer { file.close() }
      var bytes = [UInt8](repeating: 0, count: 4096)
      let count = try file.readAvailable(at: 0, into: &bytes)
      var text = bytes[..<count]
      while text.last == 0x0A { text.removeLast() }
      return String(decoding: text, as: UTF8.self)
    } catch { return "" }
  }
}
