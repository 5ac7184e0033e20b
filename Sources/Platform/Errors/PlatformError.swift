/// What a call to the outside world can answer instead of a result.
///
/// The code may grow; everything else says where it happened.
public struct PlatformError: Error, Equatable, Sendable, CustomStringConvertible {
  /// The kinds of failure that a caller can tell apart.
  public struct Code: Hashable, Sendable, CustomStringConvertible {
    public let description: String
    public init(_ description: String) { self.description = description }

    public static let notFound = Code("not found")
    public static let alreadyExists = Code("already exists")
    public static let permissionDenied = Code("permission denied")
    public static let notADirectory = Code("not a directory")
    public static let isADirectory = Code("is a directory")
    /// A directory to be removed or replaced still holds names.
    public static let notEmpty = Code("directory not empty")
    public static let noSpace = Code("no space left")
    public static let inputOutput = Code("input/output error")
    /// Another process (or another handle of this one) holds the lock.
    public static let locked = Code("locked by another owner")
    public static let invalidArgument = Code("invalid argument")
    public static let unsupported = Code("unsupported")
    public static let resourceExhausted = Code("resource exhausted")
    /// A file ended before all the bytes asked for were read.
    public static let endOfFile = Code("end of file")
    /// The simulated process was killed: unwind, touch nothing more. Never seen outside a simulation.
    public static let killed = Code("process killed")
    /// An injected failure of a fault point.
    public static let faultPoint = Code("fault point")
    public static let other = Code("system error")
  }

  public var code: Code
  /// The call that failed, as "open" or "fdatasync".
  public var operation: String
  public var path: String
  public var offset: Int64?
  /// `errno`, where the system gave one.
  public var systemCode: Int32?
  public var detail: String?

  public init(
    _ code: Code, operation: String, path: String = "", offset: Int64? = nil,
    systemCode: Int32? = nil, detail: String? = nil
  ) {
    self.code = code
    self.operation = operation
    self.path = path
    self.offset = offset
    self.systemCode = systemCode
    self.detail = detail
  }

  public var description: String {
    var text = "\(operation): \(code)"
    if !path.isEmpty { text += " (\(path))" }
    if let offset { text += " at offset \(offset)" }
    if let systemCode { text += " [errno \(systemCode)]" }
    if let detail { text += ": \(detail)" }
    return text
  }
}
