import Platform

extension Database {
  /// Checks the structure of every tree in memory, and reads back and checks every leaf image that the newest
  /// checkpoint names. Answers what it found; throws only where it could not look. Blocks on I/O
  /// and keeps checkpoints waiting. Call it while nobody writes: a write under way may look like a violation.
  public func verify() throws(LugeError) -> VerificationReport {
    try core.checkOpen()
    return try core.verify()
  }
}

extension DatabaseCore {
  func verify() throws(LugeError) -> VerificationReport {
    try checkpointer.lock.acquire()
    defer { checkpointer.lock.unlock() }
    // Closed while this waited: the trees are gone.
    try checkOpen()
    var report = VerificationReport()
    for tree in try catalogue.snapshot().trees {
      report.trees += 1
      report.entries += tree.entryCount
      for problem in try tree.checkInvariants() {
        report.problems.append("tree \(tree.id): \(problem)")
      }
    }
    for entry in checkpointer.directory {
      report.leaves += 1
      report.imageBytes += entry.length
      do throws(LugeError) {
        let image = try LeafImage(
          decoding: try pages.read(entry.address, .leaf), contexts: context.codecs)
        if image.tree != entry.tree || image.low != entry.lowKey || image.lsn != entry.imageLSN
          || UInt64(image.count) != entry.liveEntries
        {
          report.problems.append(
            "image at \(entry.address.rawValue): not the one that the directory names")
        }
      } catch {
        if error.code != .corruption { throw error }
        report.problems.append(error.description)
      }
    }
    return report
  }
}
