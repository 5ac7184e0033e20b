#if SQLite
  internal import CSQLite
  internal import EngineKit

  /// One SQLite connection, its statements prepared once each. Used by one thread at a time.
  ///
  /// Invariant: every pointer in `statements` is a live statement of `handle`; all end in `close`.
  ///
  /// Safe: the pointers stay inside this class; SQLite takes the null that a closed handle is.
  @safe
  final class SQLiteConnection {
    private var handle: OpaquePointer?
    private var statements: [Statement] = []

    /// A prepared statement.
    @safe
    private struct Statement {
      let text: String
      let pointer: OpaquePointer
    }

    /// Opens or creates the file.
    init(_ path: String) throws(EngineError) {
      let flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_FULLMUTEX
      // The handle is made by the call even when it fails, and then holds the reason.
      let result = unsafe sqlite3_open_v2(path, &handle, flags, nil)
      if result != SQLITE_OK {
        let reason = error(result)
        close()
        throw reason
      }
    }

    deinit { close() }

    func close() {
      for one in statements { unsafe sqlite3_finalize(one.pointer) }
      statements = []
      if let open = unsafe handle { unsafe sqlite3_close_v2(open) }
      unsafe handle = nil
    }

    /// Runs statements that bind nothing and whose rows nobody wants.
    func execute(_ text: String) throws(EngineError) {
      let result = unsafe sqlite3_exec(handle, text, nil, nil, nil)
      if result != SQLITE_OK { throw error(result) }
    }

    enum Argument {
      case blob(Bytes)
      case integer(Int64)
    }

    /// A row, while its statement stands on it.
    @safe
    struct Row {
      fileprivate let statement: OpaquePointer

      func blob(_ column: Int32) -> Bytes {
        // The memory belongs to the statement until its next step; it is copied here.
        let count = unsafe Int(sqlite3_column_bytes(statement, column))
        guard count > 0, let start = unsafe sqlite3_column_blob(statement, column) else {
          return []
        }
        return unsafe Bytes(UnsafeRawBufferPointer(start: start, count: count))
      }

      func integer(_ column: Int32) -> Int64 { unsafe sqlite3_column_int64(statement, column) }
      func text(_ column: Int32) -> String { String(decoding: blob(column), as: UTF8.self) }
    }

    /// Runs one statement, prepared at its first use, and passes each row to `each`.
    func run(
      _ text: String, _ arguments: [Argument] = [], each: (Row) -> Void = { _ in }
    ) throws(EngineError) {
      let statement = unsafe try prepared(text)
      defer {
        unsafe sqlite3_reset(statement)
        unsafe sqlite3_clear_bindings(statement)
      }
      for place in arguments.indices {
        let result = unsafe Self.bind(arguments[place], Int32(place + 1), statement)
        if result != SQLITE_OK { throw error(result) }
      }
      while true {
        let result = unsafe sqlite3_step(statement)
        if result == SQLITE_DONE { return }
        if result != SQLITE_ROW { throw error(result) }
        each(unsafe Row(statement: statement))
      }
    }

    private func prepared(_ text: String) throws(EngineError) -> OpaquePointer {
      if let known = statements.first(where: { $0.text == text }) {
        return unsafe known.pointer
      }
      var statement: OpaquePointer?
      let result = unsafe sqlite3_prepare_v2(handle, text, -1, &statement, nil)
      guard result == SQLITE_OK, let statement = unsafe statement else { throw error(result) }
      statements.append(unsafe Statement(text: text, pointer: statement))
      return unsafe statement
    }

    private static func bind(
      _ argument: Argument, _ place: Int32, _ statement: OpaquePointer
    ) -> Int32 {
      // SQLITE_TRANSIENT, which Swift cannot import: SQLite copies before it returns.
      let copy = unsafe unsafeBitCast(-1, to: sqlite3_destructor_type.self)
      switch argument {
      case .integer(let number): return unsafe sqlite3_bind_int64(statement, place, number)
      case .blob(let bytes):
        // A null pointer would bind NULL: an empty blob is bound as such.
        if bytes.isEmpty { return unsafe sqlite3_bind_zeroblob(statement, place, 0) }
        return unsafe sqlite3_bind_blob64(statement, place, bytes, UInt64(bytes.count), copy)
      }
    }

    func error(_ result: Int32) -> EngineError {
      let message = unsafe String(cString: sqlite3_errmsg(handle))
      switch result & 0xff {
      case SQLITE_BUSY, SQLITE_LOCKED: return EngineError(.locked, message)
      case SQLITE_CORRUPT, SQLITE_NOTADB: return EngineError(.corruption, message)
      case SQLITE_FULL: return EngineError(.noSpace, message)
      case SQLITE_IOERR, SQLITE_CANTOPEN: return EngineError(.inputOutput, message)
      case SQLITE_TOOBIG: return EngineError(.invalidArgument, message, isRefused: true)
      default: return EngineError(.other, message)
      }
    }
  }
#endif
