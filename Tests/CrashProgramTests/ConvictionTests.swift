import Foundation
import Testing

/// Engines that are wrong on purpose are convicted by real kills; right ones are not, and neither are those whose defect
/// only a power cut would show.
@Suite(.serialized) struct ConvictionTests {
  @Test(arguments: [
    ("crash-sequential-writes", "loses-flushed-writes", "durability"),
    ("crash-batches", "tears-batches", "batch-atomicity"),
    ("crash-ids", "repeats-identifiers", "identifiers"),
    ("crash-sequential-writes", "recovers-differently", "durability"),
    ("crash-sequential-writes", "breaks-invariants", "structural-invariants"),
    ("crash-sequential-writes", "traps-at-sixth-write", "trap"),
    ("crash-iteration", "skips-key-in-reverse", "answer"),
    ("crash-iteration", "stale-reads", "answer"),
    ("crash-iteration", "locks-in-both-orders", "progress"),
    ("crash-sequential-writes", "leaves-holes", "prefix-durability"),
    ("crash-cleaner", "luge-without-removals", "space"),
  ])
  func wrongEngines(program: String, engine: String, property: String) throws {
    let run = try CrashRun(
      program, "--engine", engine, "--rounds", "80", "--seed", "1", "--patience", "8")
    #expect(run.code == 1, "\(engine): \(run.output) \(run.error)")
    // Whether what these two lose was flushed, and whether something later survives, depends on where the kill comes.
    let losesEither = ["recovers-differently", "leaves-holes"].contains(engine)
    let names = losesEither ? ["durability", "prefix-durability"] : [property]
    #expect(names.contains { run.output.contains("FAILED   \($0):") }, "\(run.output)")
    // The directory stays, with what there is to say of it.
    #expect(run.left.count == 1)
    for word in ["place    seed 1, round ", "kept     ", "look     ", "repeat   "] {
      #expect(run.output.contains("\n" + word), "\(run.output)")
    }
  }

  @Test(arguments: [
    ("crash-sequential-writes", "luge"), ("crash-batches", "luge"), ("crash-ids", "luge"),
    ("crash-batches", "reference"), ("crash-sequential-writes", "loses-unflushed-writes-only"),
    // What a killed process has written stays in the system's cache, synced or not.
    ("crash-sequential-writes", "luge-without-redo-syncs"),
    ("crash-batches", "luge-without-file-syncs"),
  ])
  func rightOnes(program: String, engine: String) throws {
    let run = try CrashRun(
      program, "--engine", engine, "--rounds", "6", "--seed", "2", "--format", "json")
    #expect(run.code == 0, "\(run.output) \(run.error)")
    #expect(run.output.contains("\"verdict\" : \"held\""))
    #expect(run.number("rounds") == 6)
    #expect(run.number("acknowledged") ?? 0 > 0)
    #expect(run.number("checked") ?? 0 >= 6)
    #expect(run.left.isEmpty)
  }

  @Test func wrongUsage() throws {
    for arguments in [["--rounds", "x"], ["--engine", "none"], ["--nothing", "1"], ["--rounds"]] {
      let run = try CrashRun(
        "crash-ids", arguments[0], arguments.count > 1 ? arguments[1] : "--directory")
      #expect(run.code == 2, "\(arguments)")
      #expect(run.output == "" && run.error.hasPrefix("crash-ids: "), "\(run.error)")
    }
  }
}
