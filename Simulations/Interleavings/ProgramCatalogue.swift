public import SimulationKit

/// Every family of concurrent programs there is. To add one: a line here.
public enum ProgramCatalogue {
  public static let all: [InterleavingScenario] = [
    InterleavingScenario(
      "threads-points", "Gets, inserts, removes and compare-exchanges of one or a few keys.",
      actions: [.get, .insert, .remove, .exchange]),
    InterleavingScenario(
      "threads-splits", "Inserts that split leaves, beside reads of the keys that move.",
      actions: [.get, .insert, .largeInsert, .largeInsert, .remove, .scanForward, .scanBackward]),
    InterleavingScenario(
      "threads-lookups",
      "Lookups of keys that splits are moving, and nothing else that would help the splits.",
      actions: [.get, .get, .largeInsert], threads: 2...3),
    InterleavingScenario(
      "threads-batches", "Batches over one tree and over two, beside single writes and reads.",
      actions: [.batch, .crossTreeBatch, .get, .insert, .exchange]),
    InterleavingScenario(
      "threads-scans", "Scans both ways beside writes, removals and batches.",
      actions: [
        .scanForward, .scanBackward, .insert, .remove, .batch, .crossTreeBatch, .largeInsert,
      ]),
    InterleavingScenario(
      "threads-background", "Flushes, checkpoints and background work beside reads and writes.",
      actions: [
        .flush, .checkpoint, .backgroundWork, .get, .insert, .largeInsert, .remove, .batch,
      ], threads: 2...3),
    InterleavingScenario(
      "threads-eviction",
      "Pages leave memory and come back, and the cleaner moves them, beside reads and writes.",
      actions: [
        .evict, .evict, .clean, .checkpoint, .get, .insert, .largeInsert, .remove, .exchange,
        .batch,
        .scanForward, .scanBackward,
      ], threads: 2...3),
    InterleavingScenario(
      "threads-cleaning", "The cleaner moves pages and values that others read in and write.",
      actions: [.clean, .clean, .clean, .get, .insert, .remove, .exchange, .scanForward, .evict],
      threads: 2...3, rounds: 1...4),
    InterleavingScenario(
      "threads-merges",
      "Checkpoints merge leaves that have become small, beside reads and writes of their keys.",
      actions: [
        .checkpoint, .checkpoint, .remove, .remove, .get, .insert, .batch, .scanForward,
        .scanBackward,
      ], threads: 2...3),
    InterleavingScenario(
      "threads-values",
      "Values that lie apart are replaced, moved and given back, beside their readers.",
      actions: [
        .hugeInsert, .hugeInsert, .get, .get, .remove, .exchange, .checkpoint, .checkpoint, .clean,
        .evict,
        .scanForward, .largeBatch, .flush,
      ], threads: 2...3),
    InterleavingScenario(
      "threads-trees", "A tree is dropped and made anew, beside batches, reads and evictions.",
      actions: [
        .dropTree, .crossTreeBatch, .crossTreeBatch, .insert, .get, .scanForward, .evict, .evict,
        .checkpoint,
      ], threads: 2...4),
    InterleavingScenario(
      "threads-crashes", "Everything at once, with kills and power losses in between.",
      actions: ProgramAction.allCases, crashes: true),
    InterleavingScenario(
      "threads-everything", "Everything at once, four calls a thread.",
      actions: ProgramAction.allCases, calls: 1...4),
  ]

  /// The 120 pairs of `simulate interleavings --strategy exhaustive`.
  public static let pairs: [InterleavingScenario] = ProgramPair.all.map { InterleavingScenario($0) }

  /// The 21 pairs of single calls of `simulate interleavings --strategy dpor`.
  public static let singles: [InterleavingScenario] = ProgramPair.singles.map {
    InterleavingScenario($0)
  }

  public static func named(_ name: String) -> InterleavingScenario? {
    all.first { $0.name == name } ?? pairs.first { $0.name == name }
      ?? singles.first { $0.name == name }
  }
}
