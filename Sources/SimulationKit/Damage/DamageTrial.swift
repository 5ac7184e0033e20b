public import EngineKit
internal import Platform

/// A damage: a bit of a byte flipped, or a file cut short, or a sector gone.
public struct Damage: Equatable, Sendable {
  public enum Kind: Equatable, Sendable {
    /// The bit with this number, 0 to 7.
    case flip(bit: Int)
    /// The same, and the checksum of what the byte belongs to is right again: as if an engine had written it so.
    case forge(bit: Int)
    /// From `offset` on the file is gone.
    case cut
    /// The whole file is gone, and its name.
    case removed
    /// The sector at `offset` cannot be read until it is written.
    case unreadable
  }

  public var file: Int
  public var offset: Int
  public var kind: Kind

  public init(file: Int, offset: Int, kind: Kind) {
    self.file = file
    self.offset = offset
    self.kind = kind
  }
}

/// How a trial ended.
public enum DamageOutcome: String, CaseIterable, Codable, Sendable {
  case reportedAtOpen = "reported at open"
  case reportedAtRead = "reported at read"
  case reportedByVerify = "reported by verify"
  case reportedAtClose = "reported at close"
  /// What was read is right, because another copy served.
  case copied = "harmless: another copy"
  /// What was read is right, because the bytes belong to nothing.
  case unused = "harmless: belongs to nothing"
  /// Part of the last redo group, or all of it, was taken for a torn tail.
  case tornTail = "harmless: torn tail"
  /// Not to be judged: the engine does not say what the bytes are for.
  case unjudged = "harmless"
  /// What was forged is served: a right checksum vouches for it.
  case believed = "believed: its checksum is right"
  /// Wrong data, a wrong error, or harm that nobody noticed.
  case wrong = "WRONG"

  public var isViolation: Bool { self == .wrong }
}

/// Opens one damaged database after the other, and says what comes of each.
public final class DamageTrial {
  public let dish: DatabaseRecipe.Dish
  /// What lies where, by file of the image: each byte is of a region, or free.
  public let map: DamageMap
  private let factory: any EngineFactory
  private let files: ImageFileSystem
  private let check: ContentsCheck
  private var sectors: [[(file: Int, sector: Int)]]?

  /// Opens the whole database first: that must hold. Throws what says that it does not.
  public init(
    _ recipe: DatabaseRecipe, _ factory: any EngineFactory
  ) throws(EngineError) {
    self.factory = factory
    dish = try recipe.make(with: factory)
    check = ContentsCheck(dish.expected)
    files = ImageFileSystem(dish.image)
    map = try DamageMap(dish.image, factory, SoleWorld().platform(files))
    let watching = ImageFileSystem(dish.image, watches: true)
    let finding = Self.look(factory, watching, dish, check, nil)
    if finding.state != dish.expected.states.count - 1 {
      throw EngineError(
        .other, "the database is not right as it is: \(finding.text), state \(finding.state)")
    }
    map.note(wasRead: watching.wasRead)
  }

  /// Damages the database, opens it, reads everything, and closes it again.
  ///
  /// - Parameter reopens: opens it a second time where the first one told of no damage: it must hold the same. What
  ///   was forged is written to before.
  public func run(_ damage: Damage, reopens: Bool) -> (outcome: DamageOutcome, detail: String) {
    files.reset()
    switch damage.kind {
    case .flip(let bit): files.flip(file: damage.file, offset: damage.offset, mask: 1 << bit)
    case .forge(let bit):
      files.forge(
        file: damage.file, offset: damage.offset, mask: 1 << bit,
        map.region(damage.file, damage.offset))
      return ForgeryCheck(factory, files, dish).run(writes: reopens)
    case .cut: files.cut(file: damage.file, to: damage.offset)
    case .removed: files.remove(file: damage.file)
    case .unreadable:
      files.fail(file: damage.file, sector: damage.offset / DiskGeometry.sectorSize)
    }
    let finding = Self.look(factory, files, dish, check(for: damage), nil)
    if finding.outcome == .wrong || finding.outcome != nil && !reopens {
      return (finding.outcome ?? .wrong, finding.text)
    }
    if finding.outcome == nil, reopens {
      let again = Self.look(factory, files, dish, check(for: damage), [finding.state])
      if again.outcome != nil {
        return (.wrong, "opened again, after a close without an error: \(again.text)")
      }
    }
    if let outcome = finding.outcome { return (outcome, finding.text) }
    return justify(damage, finding.state)
  }

  /// What may be answered. A sector that is gone fails reads that touch it, and these alone: of keys, those
  /// that a database which is whole reads it for.
  private func check(for damage: Damage) -> ContentsCheck {
    if damage.kind != .unreadable { return check }
    var check = check
    check.acceptsReadErrors = true
    let sector = damage.offset / DiskGeometry.sectorSize
    let needs = sectorsByKey()
    check.mayFail = needs.map { $0.contains { $0.file == damage.file && $0.sector == sector } }
    return check
  }

  /// The sectors that are read for each key, after an opening.
  private func sectorsByKey() -> [[(file: Int, sector: Int)]] {
    if let sectors { return sectors }
    var found: [[(file: Int, sector: Int)]] = []
    for row in check.rows {
      let watching = ImageFileSystem(dish.image, watches: true)
      let engine = try? factory.open(
        ImageFileSystem.directory, on: SoleWorld().platform(watching), settings: dish.settings)
      watching.forgetReads()
      _ = try? engine?.get(row.key, in: row.tree)
      found.append(watching.sectorsRead)
      try? engine?.close()
    }
    sectors = found
    return found
  }

  /// Nothing was reported and all is right, or a prefix of it: why is that?
  private func justify(_ damage: Damage, _ state: Int) -> (DamageOutcome, String) {
    guard map.isKnown else {
      if state == dish.expected.states.count - 1 { return (.unjudged, "") }
      return (.wrong, "state \(state) of \(dish.expected.states.count - 1) is found")
    }
    let uses: [DamageMap.Byte]
    switch damage.kind {
    case .flip, .forge: uses = [map.byte(damage.file, damage.offset)]
    case .cut, .removed: uses = map.bytes(damage.file, from: damage.offset)
    case .unreadable:
      // What needs it would have been told.
      uses = map.bytes(
        damage.file, from: damage.offset, to: damage.offset + DiskGeometry.sectorSize)
    }
    if state != dish.expected.states.count - 1 {
      if uses.contains(where: { $0.use == .tail }) { return (.tornTail, "") }
      return (.wrong, "state \(state) is found, and no byte of the last group was damaged")
    }
    if let needed = uses.first(where: { $0.use == .needed }) {
      return (.wrong, "harm to \(needed.kind) that nobody noticed")
    }
    if uses.contains(where: { $0.use == .tail }) { return (.tornTail, "") }
    if uses.contains(where: { $0.use == .copied }), !map.losesAllCopies(damage) {
      return (.copied, "")
    }
    return (.unused, "")
  }

  private struct Finding {
    /// Nil: nothing was reported, and all was read.
    var outcome: DamageOutcome?
    var text = ""
    /// That explains what was read.
    var state = -1
  }

  /// Opens, reads, verifies, closes.
  private static func look(
    _ factory: any EngineFactory, _ files: ImageFileSystem, _ dish: DatabaseRecipe.Dish,
    _ check: ContentsCheck, _ states: [Int]?
  ) -> Finding {
    // A wait that nobody can end fails there, and is no report of damage.
    let world = SoleWorld()
    let engine: any KeyValueEngine
    do throws(EngineError) {
      engine = try factory.open(
        ImageFileSystem.directory, on: world.platform(files), settings: dish.settings)
    } catch { return report(error, "opening", .reportedAtOpen, check) }
    let found = check.run(engine, among: states)
    var finding = Finding(state: found.states.last ?? -1)
    if let violation = found.violation {
      finding.outcome = .wrong
      finding.text = violation
    } else if let report = found.report {
      finding.outcome = .reportedAtRead
      finding.text = report
    }
    do throws(EngineError) {
      if let problem = try engine.checkInvariants().first, finding.outcome == nil {
        finding.outcome = .reportedByVerify
        finding.text = problem
      }
    } catch {
      finding = worse(finding, report(error, "verifying", .reportedByVerify, check))
    }
    do throws(EngineError) { try engine.close() } catch {
      finding = worse(finding, report(error, "closing", .reportedAtClose, check))
    }
    return finding
  }

  private static func report(
    _ error: EngineError, _ what: String, _ outcome: DamageOutcome, _ check: ContentsCheck
  ) -> Finding {
    if check.accepts(error) { return Finding(outcome: outcome, text: error.message) }
    return Finding(outcome: .wrong, text: "\(what): \(error), which is no report of damage")
  }

  /// The first report, unless what came later is wrong.
  private static func worse(_ first: Finding, _ second: Finding) -> Finding {
    var result = first
    if first.outcome == nil || second.outcome == .wrong && first.outcome != .wrong {
      result.outcome = second.outcome
      result.text = second.text
    }
    return result
  }
}
