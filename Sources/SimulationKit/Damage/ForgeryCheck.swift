internal import EngineKit
internal import Platform

/// What must hold of a database that has other bytes under a right checksum, as only a defect of an engine, or of memory,
/// or somebody's intent writes them: nothing traps or hangs, an error has a reason, and what is shown forward is
/// shown backward, in order. What it is nobody can know.
///
/// It is read in every way, verified, written to where that is asked for, closed, and opened once more.
struct ForgeryCheck {
  private let factory: any EngineFactory
  private let files: ImageFileSystem
  private let dish: DatabaseRecipe.Dish
  private var report: (DamageOutcome, String)?
  private var violation: String?

  init(_ factory: any EngineFactory, _ files: ImageFileSystem, _ dish: DatabaseRecipe.Dish) {
    self.factory = factory
    self.files = files
    self.dish = dish
  }

  func run(writes: Bool) -> (outcome: DamageOutcome, detail: String) {
    var check = self
    check.live(writes: writes)
    if writes, check.violation == nil { check.live(writes: false) }
    if let violation = check.violation { return (.wrong, violation) }
    return check.report ?? (.believed, "")
  }

  /// One opening, and all that is done to the database.
  private mutating func live(writes: Bool) {
    let platform = SoleWorld().platform(files)
    let engine: any KeyValueEngine
    do throws(EngineError) {
      engine = try factory.open(ImageFileSystem.directory, on: platform, settings: dish.settings)
    } catch { return accept(error, "opening", .reportedAtOpen) }
    readAll(engine)
    for row in dish.expected.rows() {
      attempt("a read") { () throws(EngineError) in _ = try engine.get(row.key, in: row.tree) }
    }
    verify(engine)
    if writes {
      write(engine)
      readAll(engine)
    }
    attempt("closing", .reportedAtClose) { () throws(EngineError) in try engine.close() }
  }

  private mutating func readAll(_ engine: any KeyValueEngine) {
    var names: [TreeName] = []
    attempt("naming the trees") { () throws(EngineError) in names = try engine.treeNames() }
    for name in names {
      attempt("a scan") { () throws(EngineError) in
        let forward = try engine.scan(.all, .forward, limit: .max, in: name)
        let backward = try engine.scan(.all, .backward, limit: .max, in: name)
        try Self.compare(forward, backward, name)
        _ = try engine.count(in: name)
      }
    }
  }

  private static func compare(
    _ forward: [Entry], _ backward: [Entry], _ name: TreeName
  ) throws(EngineError) {
    if !ContentsCheck.areSame(forward, backward.reversed()) {
      throw EngineError(.other, "\"\(name)\" is not backward what it is forward")
    }
    var index = 1
    while index < forward.count {
      if !forward[index - 1].key.precedes(forward[index].key) {
        throw EngineError(.other, "keys of \"\(name)\" do not ascend")
      }
      index += 1
    }
  }

  private mutating func verify(_ engine: any KeyValueEngine) {
    attempt("verifying", .reportedByVerify) { () throws(EngineError) in
      if let problem = try engine.checkInvariants().first {
        throw EngineError(.corruption, problem)
      }
    }
  }

  /// A little of each; one that fails does not excuse the others.
  private mutating func write(_ engine: any KeyValueEngine) {
    let key = Array("k0003".utf8)
    attempt("a write") { () throws(EngineError) in
      _ = try engine.insert(Array("written after all".utf8), for: key, in: .default)
    }
    attempt("a batch") { () throws(EngineError) in
      try engine.apply((0..<4).map { BatchWrite(key + [$0], [$0], in: .default) })
    }
    attempt("an id") { () throws(EngineError) in _ = try engine.nextID() }
    attempt("a flush") { () throws(EngineError) in try engine.flush() }
    attempt("an eviction") { () throws(EngineError) in try engine.evict() }
    attempt("a checkpoint") { () throws(EngineError) in try engine.checkpoint() }
    attempt("cleaning") { () throws(EngineError) in try engine.clean() }
  }

  private mutating func attempt(
    _ what: String, _ outcome: DamageOutcome = .reportedAtRead,
    _ body: () throws(EngineError) -> Void
  ) {
    do throws(EngineError) { try body() } catch { accept(error, what, outcome) }
  }

  /// Damage; a size that does not fit; memory or room that there is not; a tree that is not there; and what follows from
  /// an earlier error.
  private mutating func accept(_ error: EngineError, _ what: String, _ outcome: DamageOutcome) {
    switch error.code {
    case .corruption, .invalidArgument, .exhausted, .noSpace, .inputOutput, .treeNotFound,
      .refused, .closed, .unsupported:
      if report == nil { report = (outcome, "\(what): \(error.message)") }
    case .killed, .locked, .other:
      if violation == nil { violation = "\(what): \(error), which has no reason" }
    }
  }
}
