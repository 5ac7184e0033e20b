internal import Foundation
internal import SimulationFormats

/// A child process that works for this one: this program again, with a hidden verb. Requests go to its standard input,
/// replies come from its standard output, a line each.
final class WorkerProcess {
  private let process = Process()
  private let requests = Pipe()
  private let replies = Pipe()
  /// What has been read and not yet been taken as a line.
  private var buffer = Data()

  /// How a worker ended.
  enum End {
    case exit(Int32)
    case signal(Int32)

    /// Its own alarm ended it.
    var isHang: Bool { if case .signal(SIGALRM) = self { true } else { false } }

    /// The property that a death violates.
    var property: String { isHang ? "progress" : "trap" }

    /// - Parameter hang: what is said of a worker that its alarm ended.
    func detail(hang: String) -> String {
      switch self {
      case .signal(SIGALRM): hang
      case .signal(let number): "the process died by signal \(number)"
      case .exit(let status): "the process exited with \(status)"
      }
    }
  }

  /// This program once more, with these arguments.
  init(arguments: [String]) throws {
    process.executableURL = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
    process.arguments = arguments
    var environment = ProcessInfo.processInfo.environment
    // A tape that traps is a result; a backtrace of it takes seconds.
    environment["SWIFT_BACKTRACE"] = "enable=no"
    process.environment = environment
    process.standardInput = requests
    process.standardOutput = replies
    try process.run()
  }

  /// False when the worker is gone.
  func send(_ request: some Encodable) throws -> Bool {
    let line = try MessageLine.encode(request) + "\n"
    do {
      try requests.fileHandleForWriting.write(contentsOf: Data(line.utf8))
      return true
    } catch {
      return false
    }
  }

  /// The next reply; nil when the worker is gone.
  func receive<Reply: Decodable>(_ type: Reply.Type) throws -> Reply? {
    while true {
      if let newline = buffer.firstIndex(of: 0x0A) {
        let line = String(decoding: buffer[buffer.startIndex..<newline], as: UTF8.self)
        buffer.removeSubrange(buffer.startIndex...newline)
        return try MessageLine.decode(type, from: line)
      }
      let more = replies.fileHandleForReading.availableData
      if more.isEmpty { return nil }
      buffer.append(more)
    }
  }

  /// Lets the worker end, and says how it did; again if it is asked again.
  func finish() -> End {
    try? requests.fileHandleForWriting.close()
    process.waitUntilExit()
    let status = process.terminationStatus
    return process.terminationReason == .uncaughtSignal ? .signal(status) : .exit(status)
  }
}
