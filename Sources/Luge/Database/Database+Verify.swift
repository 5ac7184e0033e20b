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
    try cleaner.lock.acquire()
    defer { cleaner.lock.unlock() }
    try valueCleaner.lock.acquire()
    defer { valueCleaner.lock.unlock() }
    // What it moves would be counted and not found, or the reverse.
    try context.evictor.lock.acquire()
    defer { context.evictor.lock.unlock() }
    try context.secondEvictor.lock.acquire()
    defer { context.secondEvictor.lock.unlock() }
    // Closed while this waited: the trees are gone.
    try checkOpen()
    try checkpointer.completeReplay()
    var report = VerificationReport()
    for tree in try catalogue.snapshot().trees {
      report.trees += 1
      try tree.makeCountExact()
      report.entries += tree.entryCount
      for problem in try tree.checkInvariants() {
        report.problems.append("tree \(tree.id): \(problem)")
      }
    }
    var reached = SegmentBytes()
    var values = SegmentBytes()
    for tree in try catalogue.snapshot().trees {
      try verifyImages(tree, &reached, &values, &report)
    }
    for record in checkpointer.records { reached.add(record) }
    // What pinned threads have let go of and nobody has released yet.
    try context.drainReleased()
    try verifyBytes(pages, reached, &report)
    try verifyBytes(context.values, values, &report)
    return report
  }

  /// Every byte that is live is counted, and nothing else is.
  private func verifyBytes(
    _ pages: PageStore, _ reached: SegmentBytes, _ report: inout VerificationReport
  ) throws(LugeError) {
    if pages.releaseViolations > 0 {
      report.problems.append(
        "\(pages.releaseViolations) \(pages.family.name) records were released and not live")
    }
    let live = try pages.liveBytes()
    let mayCountTooMuch = pages.counters.chunksUncounted.load() > 0
    for segment in try pages.segmentList() {
      let (counted, found) = (live.bytes(of: segment.serial), reached.bytes(of: segment.serial))
      // What could not be read could not be released either: that is reported where it is needed.
      if counted < found || (counted > found && !mayCountTooMuch) {
        report.problems.append(
          "\(pages.family.name) segment \(segment.serial): \(counted) bytes count as live, \(found) are"
        )
      }
    }
  }

  /// Reads what a tree has on disk.
  private func verifyImages(
    _ tree: BLinkTree, _ reached: inout SegmentBytes, _ values: inout SegmentBytes,
    _ report: inout VerificationReport
  ) throws(LugeError) {
    var index = 0
    while true {
      do throws(LugeError) {
        guard let chunk = try tree.onDisk(chunk: index) else { return }
        if let image = chunk.image { reached.add(image) }
        values.add(chunk.values)
        for value in chunk.resident { try verify(value, of: tree, &report) }
        for page in chunk.pages {
          report.leaves += 1
          for part in page.parts {
            reached.add(part)
            report.imageBytes += part.length
          }
          try verify(page, of: tree, namesValues: !chunk.isResident(page), &report)
        }
      } catch {
        if error.code != .corruption { throw error }
        report.problems.append(error.description)
      }
      index += 1
    }
  }

  private func verify(
    _ page: ChunkPage, of tree: BLinkTree, namesValues: Bool,
    _ report: inout VerificationReport
  ) throws(LugeError) {
    do throws(LugeError) {
      let records = try pages.read(page.parts, .leaf)
      let found = try page.decode(records, of: tree.id, context.codecs)
      var named = SegmentBytes()
      for value in found.values {
        named.add(value.part)
        if namesValues { try verify(value, of: tree, &report) }
      }
      if named != page.values {
        report.problems.append(
          "image at \(page.parts[0].address.rawValue): its chunk has other values for it")
      }
      if found.lsn != page.lsn
        || (EntryCount.isExact(page.entries) && found.entries != page.entries)
      {
        report.problems.append(
          "image at \(page.parts[0].address.rawValue): not the one that its chunk names")
      }
    } catch {
      if error.code != .corruption { throw error }
      report.problems.append(error.description)
    }
  }

  /// Reads a value that lies apart, in pieces, and its record's header.
  private func verify(
    _ value: ValueOnDisk, of tree: BLinkTree, _ report: inout VerificationReport
  ) throws(LugeError) {
    do throws(LugeError) {
      report.imageBytes += Int(value.reference.length)
      try tree.checkApart(value)
    } catch {
      if error.code != .corruption { throw error }
      report.problems.append(error.description)
    }
  }
}
