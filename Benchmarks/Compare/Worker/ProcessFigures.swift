import Foundation
import Synchronization

/// What the kernel says of a process.
enum ProcessFigures {
  private static func text(_ path: String) -> String {
    guard let data = FileManager.default.contents(atPath: path) else { return "" }
    return String(decoding: data, as: UTF8.self)
  }

  private static func number(_ name: String, in text: String) -> Int? {
    for line in text.split(separator: "\n") where line.hasPrefix(name + ":") {
      return line.split(whereSeparator: { !$0.isNumber }).last.flatMap { Int($0) }
    }
    return nil
  }

  /// Anonymous resident bytes: resident pages that are not of files or shared memory.
  static func anonymousBytes() -> Int {
    let fields = text("/proc/self/statm").split(whereSeparator: \.isWhitespace).compactMap {
      Int($0)
    }
    return fields.count < 3 ? 0 : (fields[1] - fields[2]) * Int(sysconf(Int32(_SC_PAGESIZE)))
  }

  /// Bytes that the process caused to be read from the device, and to be sent to it: a page of a file
  /// counts each time it is made dirty after it was clean.
  static func deviceBytes(_ process: String = "self") -> (read: Int, written: Int) {
    let io = text("/proc/\(process)/io")
    return (number("read_bytes", in: io) ?? 0, number("write_bytes", in: io) ?? 0)
  }

  /// Milliseconds of processor time of all threads.
  static func processorTime(_ process: Int32) -> Int {
    let stat = text("/proc/\(process)/stat")
    let fields = stat.split(separator: ")").last?.split(separator: " ") ?? []
    // The 14th and 15th field of all; two come before the last parenthesis.
    guard fields.count > 13, let user = Int(fields[11]), let system = Int(fields[12]) else {
      return 0
    }
    return (user + system) * 1000 / Int(sysconf(Int32(_SC_CLK_TCK)))
  }

  /// How often threads of the process were put on a processor, so far: its wake-ups.
  static func switches(_ process: Int32) -> Int {
    let tasks =
      (try? FileManager.default.contentsOfDirectory(atPath: "/proc/\(process)/task")) ?? []
    return tasks.reduce(0) { sum, task in
      let status = text("/proc/\(process)/task/\(task)/status")
      return sum + (number("voluntary_ctxt_switches", in: status) ?? 0)
        + (number("nonvoluntary_ctxt_switches", in: status) ?? 0)
    }
  }

  /// Bytes of the blocks that the files below a directory have, or those of them that are chosen.
  static func allocatedBytes(
    _ directory: String, where isChosen: (String) -> Bool = { _ in true }
  ) -> Int {
    let names = FileManager.default.enumerator(atPath: directory)
    var sum = 0
    while let name = names?.nextObject() as? String {
      var status = stat()
      if isChosen(name), lstat(directory + "/" + name, &status) == 0 {
        sum += Int(status.st_blocks) * 512
      }
    }
    return sum
  }
}

/// Looks every 100 ms at the anonymous resident bytes, on a thread of its own, between start and stop.
final class ResidentSampler: Sendable {
  private struct State {
    var peak = 0
    var isRunning = true
  }

  private let state = Mutex(State())

  init() {
    let thread = Thread { [self] in
      while sample() { usleep(100_000) }
    }
    thread.stackSize = 1 << 20
    thread.start()
  }

  private func sample() -> Bool {
    let now = ProcessFigures.anonymousBytes()
    return state.withLock {
      $0.peak = max($0.peak, now)
      return $0.isRunning
    }
  }

  /// The peak, the moment of the call included.
  func stop() -> Int {
    _ = sample()
    return state.withLock {
      $0.isRunning = false
      return $0.peak
    }
  }
}
