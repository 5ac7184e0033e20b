import Platform

@testable import Luge

/// One opening of a changed image, and what is done with it. Errors are answers; they are findings only where an engine has
/// no reason for them.
final class ImageSession {
  private let image: DatabaseImage
  private let platform: PlatformServices
  /// Every change is one that a checksum tells of.
  private let isTold: Bool
  /// The image is as it was found: nothing was written to it.
  private var isUntouched = true
  private var database: Database?

  init(_ image: DatabaseImage, _ platform: PlatformServices, isTold: Bool) {
    self.image = image
    self.platform = platform
    self.isTold = isTold
  }

  /// False where it answers an error.
  func open() throws(Finding) -> Bool {
    do throws(LugeError) {
      database = try Database.open(
        at: ImageMaker.directory, configuration: image.configuration, platform: platform)
      return true
    } catch {
      try accept(error, "opening")
      return false
    }
  }

  /// An error is a reason: damage, a format that is newer, a size that is another one.
  private func accept(_ error: LugeError, _ what: String) throws(Finding) {
    let reasons: [LugeError.Code] = [
      .corruption, .notADatabase, .unsupportedVersion, .configurationMismatch, .resourceExhausted,
      .treeNotFound, .failed, .noSpace, .tooLarge, .invalidArgument, .closed, .inputOutput,
    ]
    try require(reasons.contains(error.code), "\(what): an error without a reason: \(error)")
    let told: [LugeError.Code] = [.corruption, .notADatabase]
    try require(
      !isTold || !isUntouched || told.contains(error.code), "\(what): \(error)")
  }

  /// Reads every tree both ways and holds it against what may be there. False where an error ended it.
  func readAll() throws(Finding) -> Bool {
    guard let database else { return false }
    var names: [String] = []
    do throws(LugeError) {
      names = try database.treeNames()
    } catch {
      try accept(error, "names of trees")
      return false
    }
    var found = ImageContents()
    found.trees = []
    var isWhole = true
    for name in names {
      var rows: [ImageContents.Row] = []
      do throws(LugeError) {
        let tree = try database.tree(named: name)
        var cursor = tree.cursor(in: .all)
        try collect(&cursor, ascending: true, &rows)
        var backward: [ImageContents.Row] = []
        cursor = tree.cursor(in: .all)
        try collect(&cursor, ascending: false, &backward)
        try same(rows, backward.reversed(), name)
        if isTold && isUntouched { try compareCount(try tree.count(), rows.count, name) }
      } catch {
        isWhole = false
        try settle(error, "reading \"\(name)\"")
      }
      try inOrder(rows)
      found.trees.append(ImageContents.TreeRows(tree: name, rows: rows))
    }
    if isTold && isUntouched { try compare(found, isWhole: isWhole) }
    return isWhole
  }

  private func collect(
    _ cursor: inout Cursor, ascending: Bool, _ rows: inout [ImageContents.Row]
  ) throws(LugeError) {
    while let entry = ascending ? try cursor.next() : try cursor.previous() {
      rows.append(ImageContents.Row(key: entry.key, value: entry.value))
      // No image has so many.
      if rows.count > 1 << 17 { throw LugeError(.killed, "FINDING a scan does not end") }
    }
  }

  /// What a comparison finds within a reading is brought out as an error of its own kind.
  private func same(
    _ forward: [ImageContents.Row], _ backward: [ImageContents.Row], _ name: String
  ) throws(LugeError) {
    if forward != backward {
      throw LugeError(.killed, "FINDING \"\(name)\" backward is not what it is forward")
    }
  }

  private func compareCount(_ count: Int, _ rows: Int, _ name: String) throws(LugeError) {
    if count != rows {
      throw LugeError(.killed, "FINDING \"\(name)\" counts \(count) entries and shows \(rows)")
    }
  }

  private func settle(_ error: LugeError, _ what: String) throws(Finding) {
    if error.description.contains("FINDING") { throw Finding(error.description) }
    try accept(error, what)
  }

  private func inOrder(_ rows: [ImageContents.Row]) throws(Finding) {
    var index = 1
    while index < rows.count {
      try require(compareKeys(rows[index - 1].key, rows[index].key) < 0, "keys do not ascend")
      index += 1
    }
  }

  /// What was read is what was there, or a prefix of it where reading was ended by an error.
  private func compare(_ found: ImageContents, isWhole: Bool) throws(Finding) {
    for state in image.states {
      if isWhole ? found == state : matches(found, state) { return }
    }
    throw Finding(
      "\(image.name): what is read is none of the \(image.states.count) states that may be there: "
        + found.trees.map { "\"\($0.tree)\" \($0.rows.count)" }.joined(separator: ", "))
  }

  private func matches(_ found: ImageContents, _ state: ImageContents) -> Bool {
    if found.trees.count != state.trees.count { return false }
    for (one, other) in zip(found.trees, state.trees) {
      if one.tree != other.tree || one.rows.count > other.rows.count { return false }
      if one.rows != Array(other.rows.prefix(one.rows.count)) { return false }
    }
    return true
  }

  // MARK: Other calls

  private func attempt(_ what: String, _ body: () throws(LugeError) -> Void) throws(Finding) {
    do throws(LugeError) { try body() } catch { try settle(error, what) }
  }

  /// Keys that are there, and one that is not.
  func readKeys() throws(Finding) {
    guard let database, let last = image.states.last else { return }
    for tree in last.trees {
      for row in tree.rows.prefix(12) {
        try attempt("a get") { () throws(LugeError) in
          let value = try database.tree(named: tree.tree).value(forKey: row.key)
          if isTold && isUntouched { try known(row.key, value, tree.tree) }
        }
      }
    }
    try attempt("a get") { () throws(LugeError) in
      _ = try database.defaultTree.value(forKey: [0xFF, 0xFF])
    }
  }

  private func known(_ key: [UInt8], _ value: [UInt8]?, _ tree: String) throws(LugeError) {
    for state in image.states {
      let rows = state.trees.first { $0.tree == tree }?.rows ?? []
      if rows.first(where: { $0.key == key })?.value == value { return }
    }
    throw LugeError(.killed, "FINDING a key of \"\(tree)\" has a value that it never had")
  }

  /// What it finds is an answer, whatever it is.
  func verify() throws(Finding) {
    try attempt("verify") { () throws(LugeError) in _ = try database?.verify() }
  }

  func evict() throws(Finding) {
    for _ in 0..<4 { try attempt("evict") { () throws(LugeError) in try database?.evictPage() } }
  }

  func write() throws(Finding) {
    isUntouched = false
    guard let database else { return }
    try attempt("writes") { () throws(LugeError) in
      let tree = database.defaultTree
      _ = try tree.updateValue([1, 2, 3], forKey: Array("user1003".utf8))
      try tree.setValue([UInt8](repeating: 7, count: 300), forKey: Array("v1".utf8))
      _ = try tree.removeValue(forKey: Array("k112".utf8))
      var batch = WriteBatch()
      for number in UInt8(0)..<12 { batch.updateValue([number], forKey: [0x6B, number], in: tree) }
      try database.apply(batch)
      _ = try database.nextID()
      try database.flush()
    }
  }

  func checkpoint() throws(Finding) {
    isUntouched = false
    try attempt("checkpoint") { () throws(LugeError) in try database?.checkpoint() }
  }

  func clean() throws(Finding) {
    isUntouched = false
    for _ in 0..<2 { try attempt("clean") { () throws(LugeError) in try database?.cleanSegment() } }
  }

  func close() throws(Finding) {
    try attempt("close") { () throws(LugeError) in try database?.close() }
  }

  /// Drops it, as a process that dies does.
  func end() { database = nil }
}
