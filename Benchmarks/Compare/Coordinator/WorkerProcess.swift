import Foundation

/// A worker as the coordinator sees it: one request at a time, answered by one line.
final class WorkerProcess {
  let engine: String
  private let process = Process()
  private let input = Pipe()
  private let output = Pipe()
  private var pending = Data()

  /// In the memory cgroup of that path, where there is one.
  init(_ engine: String, cgroup: String? = nil) throws {
    self.engine = engine
    process.executableURL = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
    process.arguments = ["worker", engine] + (cgroup.map { [$0] } ?? [])
    if cgroup != nil, engine == RocksDBEngine.name {
      // What one of its threads frees is not kept from the others: it has no budget for that.
      process.environment = ProcessInfo.processInfo.environment.merging(
        ["MALLOC_ARENA_MAX": "2"]
      ) { _, ours in ours }
    }
    process.standardInput = input
    process.standardOutput = output
    try process.run()
  }

  var id: Int32 { process.processIdentifier }

  /// Throws what the worker failed with, or that it ended. It is killed after `limit` seconds.
  @discardableResult
  func ask(_ request: Request, limit: Double = 3600) throws -> Measurement {
    let id = id
    let killer = DispatchWorkItem { kill(id, SIGKILL) }
    DispatchQueue.global().asyncAfter(deadline: .now() + limit, execute: killer)
    defer { killer.cancel() }
    let data = try JSONEncoder().encode(request) + Data("\n".utf8)
    try input.fileHandleForWriting.write(contentsOf: data)
    guard let line = readLine() else {
      process.waitUntilExit()
      let reason =
        switch (process.terminationReason, process.terminationStatus) {
        case (.uncaughtSignal, SIGKILL): "killed, as the system does where memory is out"
        case (.uncaughtSignal, let signal): "signal \(signal)"
        case (_, let status): "exit code \(status)"
        }
      throw BenchmarkError("\(engine): the process ended without an answer: \(reason)")
    }
    let reply = try JSONDecoder().decode(Reply.self, from: line)
    if let failure = reply.failure { throw BenchmarkError("\(engine): \(failure)") }
    return reply.measurement ?? Measurement()
  }

  private func readLine() -> Data? {
    while true {
      if let end = pending.firstIndex(of: 10) {
        let line = Data(pending[..<end])
        pending = Data(pending[(end + 1)...])
        return line
      }
      let more = output.fileHandleForReading.availableData
      if more.isEmpty { return nil }
      pending.append(more)
    }
  }

  /// Ends it without a chance to write anything.
  func kill9() {
    kill(id, SIGKILL)
    process.waitUntilExit()
  }

  /// Closes the database, where one is open, and ends the process.
  func close() throws {
    try ask(.close)
    end()
  }

  func end() {
    try? input.fileHandleForWriting.close()
    process.waitUntilExit()
  }
}

/// A memory cgroup of the benchmark's own; needs root. Version 1 and 2 of the interface.
struct MemoryGroup {
  let path: String

  /// Nil where the system permits none.
  init?(_ name: String, limit: Int) {
    let files = FileManager.default
    let isUnified = files.fileExists(atPath: "/sys/fs/cgroup/cgroup.controllers")
    path = (isUnified ? "/sys/fs/cgroup/" : "/sys/fs/cgroup/memory/") + "luge-benchmark-" + name
    rmdir(path)
    guard mkdir(path, 0o755) == 0 else { return nil }
    let file = isUnified ? "memory.max" : "memory.limit_in_bytes"
    guard Self.write("\(limit)", path + "/" + file) else {
      rmdir(path)
      return nil
    }
  }

  static func write(_ text: String, _ path: String) -> Bool {
    guard let handle = FileHandle(forWritingAtPath: path) else { return false }
    defer { try? handle.close() }
    return (try? handle.write(contentsOf: Data(text.utf8))) != nil
  }

  /// Puts the calling process into a group.
  static func enter(_ path: String) throws {
    guard write("\(getpid())", path + "/cgroup.procs") else {
      throw BenchmarkError("the process cannot enter \(path)")
    }
  }

  func remove() { rmdir(path) }
}
