internal import Foundation

/// Standard output holds results alone; everything else goes to standard error.
enum Console {
  private static let limit = 64 << 10
  // Safe: `pending` is touched by the only thread of the process; `lugectl` starts none.
  nonisolated(unsafe) private static var pending: [UInt8] = []

  /// Adds a line to the result.
  static func result(_ line: String) throws {
    try bytes(Array((line + "\n").utf8))
  }

  /// Adds bytes to the result.
  static func bytes(_ bytes: [UInt8]) throws {
    unsafe pending.append(contentsOf: bytes)
    if unsafe pending.count >= limit { try flush() }
  }

  /// Writes the result out. A full disk or a closed pipe is an error, not a trap.
  static func flush() throws {
    let data = unsafe Data(pending)
    unsafe pending.removeAll(keepingCapacity: true)
    if data.isEmpty { return }
    do {
      try FileHandle.standardOutput.write(contentsOf: data)
    } catch {
      throw UsageFailure("cannot write to standard output: \(error.localizedDescription)")
    }
  }

  static func error(_ text: String) {
    try? FileHandle.standardError.write(contentsOf: Data((text + "\n").utf8))
  }
}
