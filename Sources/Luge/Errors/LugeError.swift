public import Platform

/// What a call of the engine can answer instead of a result.
///
/// The code says what kind of failure it is and is what a program decides on; the rest says where it
/// happened. `description` ends with what to do about it.
public struct LugeError: Error, Equatable, Sendable, CustomStringConvertible {
  /// The kinds of failure that a caller can tell apart. More may come.
  public struct Code: Hashable, Sendable, CustomStringConvertible {
    public let description: String
    init(_ description: String) { self.description = description }

    /// The system could not read or write.
    public static let inputOutput = Code("input/output error")
    /// The file system is full. Nothing acknowledged is lost; the call may be made again.
    public static let noSpace = Code("no space left")
    /// Bytes on disk are not what was written there.
    public static let corruption = Code("corruption")
    /// Another process, or another handle of this one, has the database open.
    public static let locked = Code("locked")
    /// The database, or the tree, is closed or closing.
    public static let closed = Code("closed")
    /// An earlier failure is final: the database takes no more writes. `underlying` has its cause.
    public static let failed = Code("failed")
    /// No tree of that name.
    public static let treeNotFound = Code("tree not found")
    /// An argument that no state of the database could accept.
    public static let invalidArgument = Code("invalid argument")
    /// A key, value, batch or record above its limit.
    public static let tooLarge = Code("too large")
    /// The name is taken.
    public static let alreadyExists = Code("already exists")
    /// There is no database.
    public static let notFound = Code("not found")
    /// The files are not those of a database of this engine.
    public static let notADatabase = Code("not a database")
    /// The database was written by a newer version of the engine.
    public static let unsupportedVersion = Code("unsupported version")
    /// A setting that is fixed at creation differs from the one in the database.
    public static let configurationMismatch = Code("configuration mismatch")
    /// The system does not allow the access.
    public static let permissionDenied = Code("permission denied")
    /// More threads, files or memory than the settings or the system allow.
    public static let resourceExhausted = Code("resource exhausted")
    /// The simulated process was killed. Never seen outside a simulation.
    public static let killed = Code("killed")
  }

  /// What kind of failure it is.
  public var code: Code
  /// What was being done and what went wrong, in one clause.
  public var message: String
  /// The file or directory that it is about.
  public var path: String?
  /// Byte offset in the file at `path`.
  public var offset: Int64?
  /// What should have been there, in words.
  public var expected: String?
  /// What was there instead, in words.
  public var found: String?
  /// What the system said, where it was the system that failed.
  public var underlying: PlatformError?

  /// An error of the engine's own; `message` is one clause without a full stop.
  public init(
    _ code: Code, _ message: String, path: String? = nil, offset: Int64? = nil,
    expected: String? = nil, found: String? = nil, underlying: PlatformError? = nil
  ) {
    self.code = code
    self.message = message
    self.path = path
    self.offset = offset
    self.expected = expected
    self.found = found
    self.underlying = underlying
  }

  /// Wraps what the system said. `action` completes "while", as "writing the redo log".
  public init(_ error: PlatformError, doing action: String) {
    self.init(
      LugeError.code(of: error), "failed while \(action)",
      path: error.path.isEmpty ? nil : error.path, offset: error.offset, underlying: error)
  }

  private static func code(of error: PlatformError) -> Code {
    switch error.code {
    case .killed: return .killed
    case .noSpace: return .noSpace
    case .locked: return .locked
    case .permissionDenied: return .permissionDenied
    case .resourceExhausted: return .resourceExhausted
    case .notFound: return .notFound
    default: return .inputOutput
    }
  }

  public var description: String {
    var text = "\(code): \(message)"
    if let path { text += " in \(path)" }
    if let offset { text += " at offset \(offset)" }
    if let expected { text += "; expected \(expected)" }
    if let found { text += expected == nil ? "; found \(found)" : ", found \(found)" }
    if let underlying { text += " [\(underlying)]" }
    if let advice { text += ". \(advice)" }
    return text
  }

  /// What the caller can do; nil where the message says it all.
  private var advice: String? {
    switch code {
    case .noSpace: return "Free some space and call again; nothing acknowledged is lost."
    case .corruption: return "Restore the directory from a backup; nothing was changed in it."
    case .locked: return "Close the other process or handle that has this database open."
    case .closed: return "Open the database again."
    case .failed: return "Close the database and open it again; it recovers what was flushed."
    case .notADatabase: return "Give the directory of a database, or an empty one."
    case .unsupportedVersion:
      return "Open it with the version of Luge that wrote it, or a newer one."
    case .configurationMismatch: return "Open it with the settings it was created with."
    case .permissionDenied: return "Check the owner and the mode of the directory and its files."
    default: return nil
    }
  }
}
