public import EngineKit
public import HistoryKit

/// One call that changed files, or may have, as a `RecordingFileSystem` saw it, in the order in
/// which they took effect; and between them what the caller said of its own progress.
///
/// A file that was opened for writing has a `handle`, a number that its later calls are known by.
/// It holds on to the file whatever becomes of the name.
public enum LoggedCall: Equatable, Sendable {
  /// `creates`: the name was free, and leads to a new, empty file now.
  case open(handle: UInt32, path: String, creates: Bool)
  case close(handle: UInt32)
  case createDirectory(path: String)
  /// The bytes that were taken; also those of a call that failed, which may be there or not.
  case write(handle: UInt32, offset: UInt64, bytes: [UInt8])
  case truncate(handle: UInt32, length: UInt64)
  case allocate(handle: UInt32, offset: UInt64, length: UInt64)
  case punchHole(handle: UInt32, offset: UInt64, length: UInt64)
  case rename(path: String, to: String)
  case remove(path: String)
  case removeDirectory(path: String)
  /// A sync of a file was asked for. It vouches for what is logged before it.
  case syncBegan(sync: UInt32, handle: UInt32, isFull: Bool)
  /// A sync of the names in a directory was asked for.
  case directorySyncBegan(sync: UInt32, path: String)
  case syncEnded(sync: UInt32, succeeded: Bool)
  /// Everything logged so far is durable: the files that the run began with.
  case settled
  case mark(CallMark)

  /// Whether it may change what a power cut leaves. The others only say something.
  public var isInputOutput: Bool {
    switch self {
    case .open(_, _, let creates): creates
    case .close, .syncBegan, .directorySyncBegan, .settled, .mark: false
    case .createDirectory, .write, .truncate, .allocate, .punchHole, .rename, .remove,
      .removeDirectory, .syncEnded:
      true
    }
  }
}

/// What a run says of itself between its calls.
public enum CallMark: Equatable, Sendable {
  /// Which engine this is, where its files are, and how it was opened. The first mark of a log.
  case subject(engine: String, directory: String, settings: EngineSettings)
  /// An operation was asked for. `call` is a number that no other operation of the log has.
  case began(call: UInt64, client: Int, operation: Operation)
  /// It was answered, and so acknowledged unless the answer is a failure.
  case ended(call: UInt64, outcome: Outcome)
  /// The database is open.
  case opened
  /// The contents that an opening found: what the log's operations begin with.
  case recovered(RecoveredState)
  /// The database was closed in good order.
  case closed
  /// The process ended without that. Its handles are gone, its writes are not.
  case crashed
}

/// Why a log cannot be used: one sentence.
public struct CallLogError: Error, Equatable, Sendable, CustomStringConvertible {
  public var description: String
  public init(_ description: String) { self.description = description }
}
