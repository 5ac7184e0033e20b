public import HistoryKit
public import Platform

/// How a simulated process ended.
public enum ProcessEnd: Equatable, Sendable, CustomStringConvertible {
  /// All its threads returned.
  case finished
  /// It was killed from outside, in the seam call named.
  case killed(CrashKind, at: String)
  /// A fault point of that name killed it.
  case killedByFaultPoint(String)
  /// Nothing could run and nobody waited for a point of time: a failure of the engine. What each
  /// thread waited for.
  case deadlock([String])
  /// It made more seam calls than any run should: a failure of the engine. What each thread was at.
  case livelock([String])
  /// A thread touched memory that was freed: a failure of the engine. Which, and who had freed it.
  case brokenMemory(String)
  /// A thread trapped: a failure of the engine. Which, and where.
  case trapped(String)
  /// No memory, or no slot, for its first thread.
  case notStarted(PlatformError)

  /// True when it was killed on purpose.
  public var isCrash: Bool {
    switch self {
    case .killed, .killedByFaultPoint: true
    case .finished, .deadlock, .livelock, .notStarted, .brokenMemory, .trapped: false
    }
  }

  public var description: String {
    switch self {
    case .finished: "finished"
    case .killed(let kind, let call): "\(kind.rawValue) at \(call)"
    case .killedByFaultPoint(let name): "killed by fault point \(name)"
    case .deadlock(let threads): "deadlock: " + threads.joined(separator: ", ")
    case .livelock(let threads): "no end after too many calls: " + threads.joined(separator: ", ")
    case .brokenMemory(let what), .trapped(let what): what
    case .notStarted(let error): "not started: \(error)"
    }
  }
}
