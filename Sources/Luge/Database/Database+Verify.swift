import Platform

extension Database {
  /// Checks the structure of every tree in memory, and reads back and checks every leaf image that lies
  /// on disk. Answers what it found; throws only where it could not look. Blocks on I/O
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
    var reached = SegmentBytes()
    for tree in try catalogue.snapshot().trees { try verifyImages(tree, &reached, &report) }
    let live = try pages.liveBytes()
    for entry in reached.entries where live.bytes(of: entry.serial) < entry.bytes {
      report.problems.append(
        "page segment \(entry.serial): \(live.bytes(of: entry.serial)) bytes count as live, "
          + "\(entry.bytes) are")
    }
    if pages.releaseViolations > 0 {
      report.problems.append("\(pages.releaseViolations) records were released and not live")
    }
    return report
  }

  /// Reads what a tree has on disk.
  private func verifyImages(
    _ tree: BLinkTree, _ reached: inout SegmentBytes, _ report: inout VerificationReport
  ) throws(LugeError) {
    var index = 0
    while true {
      do throws(LugeError) {
        guard let chunk = try tree.onDisk(chunk: index) else { return }
        if let image = chunk.image { reached.add(image) }
        for page in chunk.pages {
          report.leaves += 1
          for part in page.parts {
            reached.add(part)
            report.imageBytes += part.length
          }
          try verify(page, of: tree, &report)
        }
      } catch {
        if error.code != .corruption { throw error }
        report.problems.append(error.description)
      }
      index += 1
    }
  }

  private func verify(
    _ page: ChunkPage, of tree: BLinkTree, _ report: inout VerificationReport
  ) throws(LugeError) {
    do throws(LugeError) {
      let image = try LeafImage(
        decoding: try pages.read(page.parts[0], .leaf).payload, contexts: context.codecs)
      if image.tree != tree.id || image.low != page.low || image.lsn != page.lsn
        || image.count != page.entries
      {
        report.problems.append(
          "image at \(page.parts[0].address.rawValue): not the one that its chunk names")
      }
    } catch {
      if error.code != .corruption { throw error }
      report.problems.append(error.description)
    }
  }
}
