#if SQLite
  internal import EngineKit
  internal import Platform

  /// SQLite as an ordered map: a table without row ids for each tree. On real files only.
  ///
  /// Durability is SQLite's usual one for speed: write-ahead log with `synchronous=NORMAL`, in which a
  /// commit is atomic and ordered but not yet synced; `flush` is a full checkpoint, which syncs.
  ///
  /// Invariant: `connection` and `trees` are touched only with `lock` held; `connection` is
  /// nil once closed.
  final class SQLiteEngine: KeyValueEngine, @unchecked Sendable {
    // Unchecked: see the invariant.
    private let lock: Lock
    private var connection: SQLiteConnection?
    /// The tables of the trees met so far.
    private var trees: [(name: TreeName, table: String)] = []

    init(_ path: String, threads: any Threads) throws(EngineError) {
      lock = Lock(threads: threads)
      let opened = try SQLiteConnection(path)
      // One owner, found out at once: the lock is taken here and held until the end.
      try opened.execute("PRAGMA locking_mode=EXCLUSIVE")
      try opened.execute("PRAGMA journal_mode=WAL")
      try opened.execute("PRAGMA synchronous=NORMAL")
      try opened.execute("PRAGMA wal_autocheckpoint=0")
      try opened.execute("BEGIN IMMEDIATE")
      try opened.execute(
        "CREATE TABLE IF NOT EXISTS trees(id INTEGER PRIMARY KEY, name BLOB UNIQUE)")
      try opened.execute("CREATE TABLE IF NOT EXISTS ids(next INTEGER)")
      try opened.execute("INSERT INTO ids SELECT 0 WHERE NOT EXISTS (SELECT 1 FROM ids)")
      try opened.execute("COMMIT")
      connection = opened
    }

    // MARK: Reading

    func get(_ key: Bytes, in tree: TreeName) throws(EngineError) -> Bytes? {
      try exclusively { (store) throws(EngineError) in try self.value(store, key, tree) }
    }

    func scan(
      _ range: KeyRange, _ direction: Direction, limit: Int, in tree: TreeName
    ) throws(EngineError) -> [Entry] {
      try exclusively { (store) throws(EngineError) in
        try self.rows(store, range, direction, limit, tree)
      }
    }

    private func rows(
      _ store: SQLiteConnection, _ range: KeyRange, _ direction: Direction, _ limit: Int,
      _ tree: TreeName
    ) throws(EngineError) -> [Entry] {
      guard let table = try table(store, tree), limit > 0 else { return [] }
      var text = "SELECT key, value FROM \(table) WHERE key >= ?"
      var arguments: [SQLiteConnection.Argument] = [.blob(range.lower ?? [])]
      if let upper = range.upper {
        text += " AND key < ?"
        arguments.append(.blob(upper))
      }
      text += " ORDER BY key \(direction == .forward ? "ASC" : "DESC") LIMIT ?"
      arguments.append(.integer(Int64(limit)))
      var entries: [Entry] = []
      try store.run(text, arguments) { entries.append(Entry($0.blob(0), $0.blob(1))) }
      return entries
    }

    func count(in tree: TreeName) throws(EngineError) -> Int {
      try exclusively { (store) throws(EngineError) in
        guard let table = try self.table(store, tree) else { return 0 }
        var count = 0
        try store.run("SELECT count(*) FROM \(table)") { count = Int($0.integer(0)) }
        return count
      }
    }

    func treeNames() throws(EngineError) -> [TreeName] {
      try exclusively { (store) throws(EngineError) in
        var names: [TreeName] = []
        try store.run("SELECT name FROM trees") { names.append($0.text(0)) }
        if !names.contains(.default) { names.append(.default) }
        return names.sorted()
      }
    }

    func checkInvariants() throws(EngineError) -> [String] {
      try exclusively { (store) throws(EngineError) in
        var findings: [String] = []
        try store.run("PRAGMA integrity_check") { findings.append($0.text(0)) }
        return findings == ["ok"] ? [] : findings
      }
    }

    // MARK: Writing

    func insert(_ value: Bytes, for key: Bytes, in tree: TreeName) throws(EngineError) -> Bytes? {
      try atomically { (store) throws(EngineError) in try self.set(store, value, key, tree) }
    }

    func remove(_ key: Bytes, in tree: TreeName) throws(EngineError) -> Bytes? {
      try atomically { (store) throws(EngineError) in try self.set(store, nil, key, tree) }
    }

    func compareExchange(
      _ key: Bytes, expected: Bytes?, desired: Bytes?, in tree: TreeName
    ) throws(EngineError) -> (exchanged: Bool, original: Bytes?) {
      try atomically { (store) throws(EngineError) in
        let original = try self.value(store, key, tree)
        guard original.isSame(as: expected) else { return (false, original) }
        _ = try self.set(store, desired, key, tree)
        return (true, original)
      }
    }

    func popFirst(_ range: KeyRange, in tree: TreeName) throws(EngineError) -> Entry? {
      try pop(range, .forward, tree)
    }

    func popLast(_ range: KeyRange, in tree: TreeName) throws(EngineError) -> Entry? {
      try pop(range, .backward, tree)
    }

    private func pop(
      _ range: KeyRange, _ direction: Direction, _ tree: TreeName
    ) throws(EngineError) -> Entry? {
      try atomically { (store) throws(EngineError) in
        guard let entry = try self.rows(store, range, direction, 1, tree).first else { return nil }
        _ = try self.set(store, nil, entry.key, tree)
        return entry
      }
    }

    func removeAll(_ range: KeyRange, in tree: TreeName) throws(EngineError) -> Int {
      try atomically { (store) throws(EngineError) in
        let entries = try self.rows(store, range, .forward, .max, tree)
        for entry in entries { _ = try self.set(store, nil, entry.key, tree) }
        return entries.count
      }
    }

    func apply(_ batch: [BatchWrite]) throws(EngineError) {
      try atomically { (store) throws(EngineError) in
        for write in batch { _ = try self.set(store, write.value, write.key, write.tree) }
      }
    }

    func dropTree(_ tree: TreeName) throws(EngineError) -> Bool {
      if tree == .default {
        throw EngineError(.invalidArgument, "the default tree stays", isRefused: true)
      }
      return try atomically { (store) throws(EngineError) in
        guard let table = try self.table(store, tree) else { return false }
        try store.run("DELETE FROM trees WHERE name = ?", [.blob(Array(tree.utf8))])
        // Emptied, not dropped: prepared statements name the table.
        try store.run("DELETE FROM \(table)")
        self.trees.removeAll { $0.name == tree }
        return true
      }
    }

    func nextID() throws(EngineError) -> UInt64 {
      let id = try atomically { (store) throws(EngineError) in
        var next: Int64 = 0
        try store.run("UPDATE ids SET next = next + 1 RETURNING next - 1") { next = $0.integer(0) }
        return next
      }
      // An id must not come again: what says that it is gone is made durable first.
      try flush()
      return UInt64(id)
    }

    // MARK: Durability

    func flush() throws(EngineError) {
      try exclusively { (store) throws(EngineError) in
        try store.run("PRAGMA wal_checkpoint(FULL)")
      }
    }

    func checkpoint() throws(EngineError) { try flush() }

    func close() throws(EngineError) {
      try flush()
      try exclusively { (store) throws(EngineError) in
        store.close()
        self.connection = nil
        self.trees = []
      }
    }

    // MARK: Parts

    private func value(
      _ store: SQLiteConnection, _ key: Bytes, _ tree: TreeName
    ) throws(EngineError) -> Bytes? {
      guard let table = try table(store, tree) else { return nil }
      var value: Bytes?
      try store.run("SELECT value FROM \(table) WHERE key = ?", [.blob(key)]) {
        value = $0.blob(0)
      }
      return value
    }

    private func set(
      _ store: SQLiteConnection, _ value: Bytes?, _ key: Bytes, _ tree: TreeName
    ) throws(EngineError) -> Bytes? {
      let former = try self.value(store, key, tree)
      if let value {
        let table = try makeTable(store, tree)
        try store.run(
          "INSERT INTO \(table) VALUES(?, ?) ON CONFLICT(key) DO UPDATE SET value = excluded.value",
          [.blob(key), .blob(value)])
      } else if let table = try table(store, tree) {
        try store.run("DELETE FROM \(table) WHERE key = ?", [.blob(key)])
      }
      return former
    }

    /// The table of a tree; nil where there is no such tree.
    private func table(
      _ store: SQLiteConnection, _ tree: TreeName
    ) throws(EngineError) -> String? {
      if let known = trees.first(where: { $0.name == tree }) { return known.table }
      var table: String?
      try store.run("SELECT id FROM trees WHERE name = ?", [.blob(Array(tree.utf8))]) {
        table = "tree\($0.integer(0))"
      }
      if let table { trees.append((tree, table)) }
      return table
    }

    private func makeTable(
      _ store: SQLiteConnection, _ tree: TreeName
    ) throws(EngineError) -> String {
      if let table = try table(store, tree) { return table }
      try store.run("INSERT INTO trees(name) VALUES(?)", [.blob(Array(tree.utf8))])
      var id: Int64 = 0
      try store.run("SELECT last_insert_rowid()") { id = $0.integer(0) }
      try store.run(
        "CREATE TABLE IF NOT EXISTS tree\(id)(key BLOB PRIMARY KEY, value BLOB) WITHOUT ROWID")
      trees.append((tree, "tree\(id)"))
      return "tree\(id)"
    }

    private func exclusively<Result>(
      _ body: (SQLiteConnection) throws(EngineError) -> Result
    ) throws(EngineError) -> Result {
      do throws(PlatformError) { try lock.lock() } catch { throw EngineError(error) }
      defer { lock.unlock() }
      guard let connection else {
        throw EngineError(.closed, "the database is closed", isRefused: true)
      }
      return try body(connection)
    }

    /// The same inside one SQLite transaction: all of it, or, when it throws, nothing.
    private func atomically<Result>(
      _ body: (SQLiteConnection) throws(EngineError) -> Result
    ) throws(EngineError) -> Result {
      try exclusively { (store) throws(EngineError) in
        try store.run("BEGIN IMMEDIATE")
        do throws(EngineError) {
          let result = try body(store)
          try store.run("COMMIT")
          return result
        } catch {
          try? store.run("ROLLBACK")
          // Tables made in the transaction are gone with it.
          self.trees = []
          throw error
        }
      }
    }
  }
#endif
