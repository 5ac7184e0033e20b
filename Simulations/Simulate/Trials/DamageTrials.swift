internal import EngineKit
internal import SimulationKit

/// Bits of one database flipped in turn, under a checksum that is wrong then or right again, or its files cut to every
/// length in turn, or a file or a sector gone.
final class DamageTrials: TrialSet {
  let trial: DamageTrial
  private let recipe: DatabaseRecipe
  private let factory: any EngineFactory
  private let kind: TrialKind
  private let seed: UInt64
  private let every: Int
  /// Where each file begins when all are laid one behind the other; the last one is the end.
  private let starts: [Int]
  private let sectorStarts: [(file: Int, offset: Int)]
  /// The bytes that a checksum covers.
  private let sealed: [(file: Int, offset: Int)]

  /// - Parameter every: of so many trials one is run.
  init(
    _ name: String, on factory: any EngineFactory, kind: TrialKind, seed: UInt64, every: Int = 1
  ) throws {
    guard let recipe = DatabaseRecipe.named(name) else {
      let known = DatabaseRecipe.all.map(\.name).joined(separator: ", ")
      throw UsageFailure("there is no database \"\(name)\"; there are \(known)")
    }
    self.recipe = recipe
    self.factory = factory
    self.kind = kind
    self.seed = seed
    self.every = every
    do {
      trial = try DamageTrial(recipe, factory)
    } catch {
      throw UsageFailure("\(name) cannot be made: \(error)")
    }
    sectorStarts = trial.dish.image.files.enumerated().flatMap { file, contents in
      stride(from: 0, to: contents.bytes.count, by: 512).map { (file, $0) }
    }
    sealed = kind == .forgeries ? trial.map.sealedBytes : []
    var starts = [0]
    for file in trial.dish.image.files {
      starts.append(starts[starts.count - 1] + file.bytes.count)
    }
    self.starts = starts
  }

  private var bytes: Int { starts[starts.count - 1] }
  private var allTrials: Int {
    switch kind {
    case .removals: trial.map.missedFiles.count
    case .sectors: sectorStarts.count
    case .flips where !recipe.flipsOneBit: 8 * bytes
    case .forgeries: recipe.flipsOneBit ? sealed.count : 8 * sealed.count
    default: bytes
    }
  }

  /// Files are few.
  var count: Int { kind == .removals ? allTrials : (allTrials + every - 1) / every }

  /// Whether the database is to hold every kind of record.
  var isComplete: Bool { recipe.holdsEverything }

  private func damage(_ index: Int) -> Damage {
    // Of each run of so many trials another one, as the seed has it.
    let drawn = Int(TapeSeed.seed(campaign: seed, scenario: recipe.name, index: index) >> 8)
    if kind == .removals {
      return Damage(file: trial.map.missedFiles[index], offset: 0, kind: .removed)
    }
    let number = min(allTrials - 1, every == 1 ? index : index * every + drawn % every)
    if kind == .sectors {
      let (file, offset) = sectorStarts[number]
      return Damage(file: file, offset: offset, kind: .unreadable)
    }
    let isByBit = kind != .cuts && !recipe.flipsOneBit
    let place = isByBit ? number / 8 : number
    if kind == .forgeries {
      let bit = isByBit ? number % 8 : drawn / every % 8
      return Damage(
        file: sealed[place].file, offset: sealed[place].offset, kind: .forge(bit: bit))
    }
    var file = 0
    while starts[file + 1] <= place { file += 1 }
    let offset = place - starts[file]
    if kind == .cuts { return Damage(file: file, offset: offset, kind: .cut) }
    let bit = isByBit ? number % 8 : drawn / every % 8
    return Damage(file: file, offset: offset, kind: .flip(bit: bit))
  }

  func run(_ index: Int) -> TrialResult {
    let damage = damage(index)
    let name = trial.dish.image.files[damage.file].name
    let group =
      kind == .cuts || kind == .removals
      ? "\(DamageMap.family(of: name)) file" : trial.map.byte(damage.file, damage.offset).kind
    // A second opening costs as much as the first, and has little to add.
    let (outcome, detail) = trial.run(damage, reopens: index % 8 == 0)
    return TrialResult(
      group: group, outcome: outcome.rawValue, violation: outcome.isViolation ? detail : nil,
      work: trial.dish.image.byteCount)
  }

  func describe(_ index: Int) -> String {
    let damage = damage(index)
    let name = trial.dish.image.files[damage.file].name
    let kind = trial.map.byte(damage.file, damage.offset).kind
    switch damage.kind {
    case .flip(let bit): return "\(name), offset \(damage.offset), bit \(bit), \(kind)"
    case .forge(let bit):
      return "\(name), offset \(damage.offset), bit \(bit) under a right checksum, \(kind)"
    case .unreadable: return "\(name), sector at \(damage.offset) unreadable, \(kind)"
    case .removed: return "\(name) removed"
    case .cut: return "\(name), cut to \(damage.offset) bytes, \(kind)"
    }
  }

  func command(_ index: Int) -> String {
    let engine = factory.name == "luge" ? "" : " --engine \(factory.name)"
    let every = every == 1 ? "" : " --every \(every)"
    return "simulate damage \(recipe.name) --\(kind.rawValue)\(engine) --seed \(seed)\(every) "
      + "--only \(index)"
  }
}
