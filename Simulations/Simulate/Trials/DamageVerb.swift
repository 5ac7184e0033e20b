internal import ArgumentParser
internal import EngineKit
internal import SimulationKit

/// `simulate damage`: a small database, damaged in every place in turn.
struct DamageVerb: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "damage",
    abstract:
      "Flips every bit of a database, cuts its files, takes files and sectors away, forges checksums.",
    discussion: """
      Every damaged database is opened, read by keys and in both directions, verified and closed. Damage must be \
      reported, or be harmless for a reason: there is another copy, the bytes belong to nothing, or they lie in \
      the last group of the redo, which after a kill may be taken for a torn tail. Wrong data, a trap, a hang and \
      harm that nobody noticed are violations. A forgery is a flipped bit under a checksum that is right again: \
      nobody can tell, but nothing may trap or hang, an error must have a reason, and forward must be backward.
      """)

  @Argument(help: "Databases: \(DatabaseRecipe.all.map(\.name).joined(separator: ", ")).")
  var databases: [String] = []
  @Flag(help: "All of them.")
  var all = false
  @Flag(help: "Flip bits only.")
  var flips = false
  @Flag(help: "Cut files only.")
  var cuts = false
  @Flag(help: "Remove files only.")
  var removals = false
  @Flag(help: "Make sectors unreadable only.")
  var sectors = false
  @Flag(help: "Flip bits and put the checksum right only.")
  var forgeries = false
  @Option(help: "The engine under test.")
  var engine = "luge"
  @Option(help: "Which bit, where one of each byte is flipped.")
  var seed: UInt64 = 1
  @OptionGroup var trials: TrialOptions

  func validate() throws {
    if databases.isEmpty && !all { throw ValidationError("name a database, or say --all") }
    if trials.only != nil, databases.count != 1 || kinds.count != 1 {
      throw ValidationError(
        "--only needs one database, and --flips, --cuts, --removals, --sectors or --forgeries")
    }
  }

  func run() throws {
    let factory = try Lookup.engine(engine)
    var reports: [TrialReport] = []
    for name in all ? DatabaseRecipe.all.map(\.name) : databases {
      for kind in kinds {
        let set = try DamageTrials(
          name, on: factory, kind: kind, seed: seed, every: trials.every)
        if let only = trials.only {
          try trials.run(only, of: set, namesGroup: false)
          return
        }
        // An engine that does not say where its checksums are.
        if set.count == 0 { continue }
        var report = try run(set, name, kind)
        if kind == kinds[0] { report.take(census: set, factory) }
        trials.show(report)
        reports.append(report)
      }
    }
    try trials.conclude(reports)
  }

  private var kinds: [TrialKind] {
    let chosen = [
      (flips, TrialKind.flips), (cuts, .cuts), (removals, .removals), (sectors, .sectors),
      (forgeries, .forgeries),
    ]
    let named = chosen.filter(\.0).map(\.1)
    return named.isEmpty ? chosen.map(\.1) : named
  }

  private func run(
    _ set: DamageTrials, _ name: String, _ kind: TrialKind
  ) throws -> TrialReport {
    let bytes = set.trial.dish.image.byteCount
    let what =
      switch kind {
      case .cuts: "cuts"
      case .removals: "removed files"
      case .sectors: "unreadable sectors"
      case .forgeries: "flipped bits under right checksums"
      default: "flipped bits"
      }
    Console.error("simulate: \(set.count) \(what) of \(name), \(bytes) bytes, on \(engine)")
    return try trials.run(
      set, kind, of: name, on: engine, seed: seed, title: "\(name), \(bytes) bytes: \(what)",
      noun: what)
  }
}
