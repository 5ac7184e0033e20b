import Luge
import Platform

/// One thread of a round: draws what to do next until it is told to stop.
struct Worker: ~Copyable {
  let number: Int
  let database: Database
  let trees: Trees
  let truth: Truth
  let options: StressOptions
  let failures: Failures
  let handedOn: Handover
  var random: Random
  /// The newest version of each key that this thread has met.
  var met: [UInt64]
  var held: [HeldView] = []
  var cursors: [HeldCursor] = []
  var operations = 0
  /// Writes that were refused for want of memory, with no effect.
  var refusals = 0

  init(_ number: Int, _ round: Round, _ database: Database, _ trees: Trees, _ handedOn: Handover) {
    self.number = number
    self.database = database
    self.trees = trees
    self.handedOn = handedOn
    truth = round.truth
    options = round.options
    failures = round.failures
    random = Random(Random.mix(options.seed &+ UInt64(round.number * 100 + number)))
    met = [UInt64](repeating: 0, count: options.keys)
  }

  mutating func run(until stop: borrowing AtomicWord) {
    while stop.load() == 0 && failures.isEmpty {
      do { try step() } catch { fail("an operation failed: \(error)") }
    }
    letGo()
  }

  private mutating func step() throws {
    operations += 1
    switch random.below(100) {
    case 0..<38: try writeOwnKey()
    case 38..<60: try readAnyKey()
    case 60..<66: try holdView()
    case 66..<70: try holdCursor()
    case 70..<74: try checkHeld()
    case 74..<79: try scan()
    case 79..<81: try readSnapshot()
    case 81..<85: try raiseCounter()
    case 85..<89: try pushAndPop()
    case 89..<93: try writeGroup()
    case 93..<95: try readGroup()
    case 95: try fillAndEmptyRange()
    case 96: if random.bool() { try makeAndDropTree() } else { try useDoomedTree() }
    case 97: try takeIdentifier()
    case 98: try readOutOfOrder()
    default: try maintain()
    }
  }

  func fail(_ what: String) { failures.add("thread \(number): \(what)") }

  /// A write, again where it was refused for want of memory: then it had no effect, and whoever keeps
  /// old versions has to let go of them.
  mutating func write(_ body: (borrowing Worker) throws -> Void) throws {
    while true {
      do { return try body(self) } catch let error as LugeError {
        guard error.code == .resourceExhausted else { throw error }
        refusals += 1
        cursors = []
      }
    }
  }

  mutating func letGo() {
    do { try checkHeld() } catch { fail("\(error)") }
    cursors = []
    held = []
  }
}

/// The trees that a round works on.
struct Trees: Sendable {
  let keys: Tree
  let second: Tree
  let queue: Tree
  let ranges: Tree

  init(_ database: Database) throws {
    keys = database.defaultTree
    second = try database.tree(named: "second", compression: .lz4)
    queue = try database.tree(named: "queue")
    ranges = try database.tree(named: "ranges", compression: .zstd(level: 1))
  }
}

/// A view that somebody keeps, and what it showed at first.
final class HeldView: Sendable {
  private let view: ValueView
  private let copy: [UInt8]

  /// Nil where the key has no value.
  init?(_ tree: Tree, _ key: [UInt8]) throws {
    guard let view = try tree.view(forKey: key) else { return nil }
    copy = HeldView.copy(view)
    self.view = view
  }

  private static func copy(_ view: borrowing ValueView) -> [UInt8] { Bytes.copy(view.bytes) }

  var isUnchanged: Bool { HeldView.copy(view) == copy }
  var bytes: [UInt8] { copy }
}

/// A cursor that somebody keeps at an entry, and what it showed at first.
final class HeldCursor {
  private var cursor: Cursor
  private var key: [UInt8]
  private var value: [UInt8]
  private(set) var isAtEnd = false

  init(_ cursor: consuming Cursor) {
    key = []
    value = []
    self.cursor = cursor
  }

  var isUnchanged: Bool {
    isAtEnd || (Bytes.copy(cursor.key) == key && Bytes.copy(cursor.value) == value)
  }

  func move() throws {
    guard try cursor.moveNext() else {
      isAtEnd = true
      return
    }
    key = Bytes.copy(cursor.key)
    value = Bytes.copy(cursor.value)
  }
}

/// A place where threads leave views for others, who look at them and let go of them.
final class Handover: @unchecked Sendable {
  // Unchecked: `view` is touched with `lock` held only.
  private let lock: Lock
  private var view: HeldView?

  init(_ threads: any Threads) { lock = Lock(threads: threads) }

  /// Leaves one and takes what was there.
  func exchange(_ new: HeldView?) throws -> HeldView? {
    try lock.lock()
    defer { lock.unlock() }
    let former = view
    view = new
    return former
  }
}
