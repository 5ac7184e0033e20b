public import Platform

/// Takes the calls of a `RecordingFileSystem`, from several threads at once, in the order in which
/// they are to be replayed.
public protocol CallLogSink: Sendable {
  /// Returns when the call is kept, as well as this sink keeps anything.
  func append(_ call: LoggedCall) throws(PlatformError)
}

/// A log in memory.
public final class CallLogMemory: CallLogSink {
  private let kept = Guarded<[LoggedCall]>([])

  public init() {}

  public func append(_ call: LoggedCall) { kept.withLock { $0.append(call) } }

  public var calls: [LoggedCall] { kept.withLock { $0 } }
}

/// A log in a file, written call by call: when `append` has returned, the call is the operating
/// system's, and outlives a process that is killed. It is not synced: this is for runs whose power
/// does not go.
public final class CallLogWriter: CallLogSink {
  private struct State: Sendable {
    var position: Int64
    var buffer = CallLogEncoder()
  }

  private let file: any File
  private let state: Guarded<State>

  /// Begins a new log at `path`. Throws `.alreadyExists` where something of that name is there.
  public init(creating path: String, on files: any FileSystem) throws(PlatformError) {
    file = try files.open(path, .createNew)
    try file.writeFully(CallLogFormat.header, at: 0)
    state = Guarded(State(position: Int64(CallLogFormat.header.count)))
  }

  public func append(_ call: LoggedCall) throws(PlatformError) {
    let file = file
    let failure = state.withLock { state -> PlatformError? in
      state.buffer.encode(call)
      do throws(PlatformError) {
        // Over what a failed try has left.
        try file.writeFully(state.buffer.bytes, at: state.position)
      } catch { return error }
      state.position += Int64(state.buffer.bytes.count)
      return nil
    }
    if let failure { throw failure }
  }

  public func close() { file.close() }
}
