/// Why an engine refused or failed an operation, in terms that a harness can judge.
public struct EngineError: Error, Equatable, Sendable, CustomStringConvertible {
  public enum Code: String, Sendable, Codable {
    /// The simulated process is gone; the outcome of the operation is unknown.
    case killed
    /// The world failed (I/O error, no space); the outcome is unknown unless `isRefused`.
    case inputOutput
    case noSpace
    /// Bytes on disk are damaged, and the engine says so.
    case corruption
    /// Another owner has the database open.
    case locked
    /// Memory is used up by what its callers hold, as a cursor.
    case exhausted
    /// The engine has stopped taking this operation after an earlier failure.
    case refused
    case closed
    case treeNotFound
    case invalidArgument
    case unsupported
    case other
  }

  public var code: Code
  public var message: String
  /// True when the engine guarantees that the operation had and will have no effect.
  public var isRefused: Bool

  public init(_ code: Code, _ message: String, isRefused: Bool = false) {
    self.code = code
    self.message = message
    self.isRefused = isRefused
  }

  public var description: String { "\(code.rawValue): \(message)" }
}
