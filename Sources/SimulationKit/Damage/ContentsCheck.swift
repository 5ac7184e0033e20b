public import EngineKit
internal import HistoryKit

/// Reads everything that a database holds, in every way, and compares it with what may be there.
///
/// Everything that is read without an error must be that of one and the same state; a read may fail with
/// `.corruption`, and with nothing else. So an error in one place excuses nothing in another.
public struct ContentsCheck: Sendable {
  /// What came of it.
  public struct Finding: Equatable, Sendable {
    /// The first error that told of damage; nil: there was none.
    public var report: String?
    /// What is wrong: what was read was never written, or an error is of another kind.
    public var violation: String?
    /// Places of the states that explain all that was read.
    public var states: [Int]
  }

  private let expected: ExpectedContents
  let rows: [ExpectedContents.Row]
  /// A read may also fail with EIO.
  var acceptsReadErrors = false
  /// By place of the row: whether the key may fail to be read; empty: all may.
  var mayFail: [Bool] = []
  private let listings: [ExpectedContents.Listing]

  public init(_ expected: ExpectedContents) {
    self.expected = expected
    rows = expected.rows()
    listings = expected.listings()
  }

  /// Reads by keys, from both ends, counts, names of trees, and takes an id.
  ///
  /// - Parameter states: those that may be found; nil: all.
  public func run(_ engine: any KeyValueEngine, among states: [Int]? = nil) -> Finding {
    var reading = Reading(
      states: states ?? Array(expected.states.indices), acceptsReadErrors: acceptsReadErrors)
    readKeys(engine, &reading)
    for listing in listings {
      read(engine, listing, .forward, &reading)
      read(engine, listing, .backward, &reading)
      count(engine, listing, &reading)
    }
    readNames(engine, &reading)
    takeIdentifier(engine, &reading)
    return Finding(report: reading.report, violation: reading.violation, states: reading.states)
  }

  /// Whether an error is a report of damage.
  func accepts(_ error: EngineError) -> Bool {
    error.code == .corruption || acceptsReadErrors && error.code == .inputOutput
  }

  private func count(
    _ engine: any KeyValueEngine, _ listing: ExpectedContents.Listing, _ reading: inout Reading
  ) {
    do throws(EngineError) {
      let count = try engine.count(in: listing.tree)
      reading.narrow("\(count) entries counted in \"\(listing.tree)\"") { state in
        listing.forward[state].count == count
      }
    } catch { reading.note(error, "counting \"\(listing.tree)\"") }
  }

  private func readNames(_ engine: any KeyValueEngine, _ reading: inout Reading) {
    do throws(EngineError) {
      let names = try engine.treeNames().sorted()
      let wanted = expected.treeNames
      reading.narrow("trees \(names), expected \(wanted)") { _ in names == wanted }
    } catch { reading.note(error, "naming the trees") }
  }

  private func takeIdentifier(_ engine: any KeyValueEngine, _ reading: inout Reading) {
    do throws(EngineError) {
      let id = try engine.nextID()
      reading.narrow("id \(id) after \(expected.largestIdentifier)") { _ in
        id > expected.largestIdentifier
      }
    } catch { reading.note(error, "taking an id") }
  }

  private func readKeys(_ engine: any KeyValueEngine, _ reading: inout Reading) {
    var index = 0
    while index < rows.count {
      let row = rows[index]
      index += 1
      do throws(EngineError) {
        let value = try engine.get(row.key, in: row.tree)
        if reading.fits({ state in row.values[state].isSame(as: value) }) { continue }
        reading.narrow(
          "\(Described.key(row.key, in: row.tree)) reads \(Described.value(value)), expected "
            + Described.value(row.values[row.values.count - 1])
        ) { state in row.values[state].isSame(as: value) }
      } catch {
        reading.note(error, "reading \(Described.key(row.key, in: row.tree))")
        if !mayFail.isEmpty, !mayFail[index - 1], reading.violation == nil {
          reading.violation =
            "\(Described.key(row.key, in: row.tree)) cannot be read, and needs nothing that is gone"
        }
      }
    }
  }

  private func read(
    _ engine: any KeyValueEngine, _ listing: ExpectedContents.Listing, _ direction: Direction,
    _ reading: inout Reading
  ) {
    let wanted = direction == .forward ? listing.forward : listing.backward
    let what = "a scan of \"\(listing.tree)\", \(direction.rawValue)"
    do throws(EngineError) {
      let entries = try engine.scan(.all, direction, limit: .max, in: listing.tree)
      reading.narrow("\(what), shows what no state has") { state in
        Self.areSame(entries, wanted[state])
      }
    } catch {
      reading.note(error, what)
      readUntilError(engine, listing.tree, direction, wanted, &reading)
    }
  }

  /// What a cursor shows before it fails must be right.
  private func readUntilError(
    _ engine: any KeyValueEngine, _ tree: TreeName, _ direction: Direction, _ wanted: [[Entry]],
    _ reading: inout Reading
  ) {
    var entries: [Entry] = []
    do throws(EngineError) {
      let cursor = try engine.cursor(.all, in: tree)
      while let entry = try direction == .forward ? cursor.next() : cursor.previous() {
        entries.append(entry)
        if entries.count > 1_000_000 { break }
      }
    } catch {
      if error.code == .unsupported { return }
      reading.note(error, "a cursor over \"\(tree)\"")
    }
    reading.narrow("a cursor over \"\(tree)\", \(direction.rawValue), shows what no state has") {
      state in Self.areSame(entries, Array(wanted[state].prefix(entries.count)))
    }
  }

  static func areSame(_ left: [Entry], _ right: [Entry]) -> Bool {
    if left.count != right.count { return false }
    var index = 0
    while index < left.count {
      if !left[index].key.isSame(as: right[index].key)
        || !left[index].value.isSame(as: right[index].value)
      {
        return false
      }
      index += 1
    }
    return true
  }

  /// What has been found so far.
  private struct Reading {
    var states: [Int]
    var report: String?
    var violation: String?
    let acceptsReadErrors: Bool

    init(states: [Int], acceptsReadErrors: Bool) {
      self.states = states
      self.acceptsReadErrors = acceptsReadErrors
    }

    func fits(_ holds: (Int) -> Bool) -> Bool {
      for state in states where !holds(state) { return false }
      return true
    }

    /// Keeps the states that explain something. Where none does, that is the violation.
    mutating func narrow(_ what: @autoclosure () -> String, _ holds: (Int) -> Bool) {
      if violation != nil || fits(holds) { return }
      states.removeAll { !holds($0) }
      if states.isEmpty { violation = what() }
    }

    mutating func note(_ error: EngineError, _ what: String) {
      if error.code == .corruption || acceptsReadErrors && error.code == .inputOutput {
        if report == nil { report = "\(what): \(error.message)" }
      } else if violation == nil {
        violation = "\(what): \(error), which is no report of damage"
      }
    }
  }
}
