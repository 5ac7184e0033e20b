import Platform
import Testing

@testable import Luge

/// What a scan makes of torn tails and of damage: a log of three groups, each a few commits.
@Suite struct RedoScanTests {
  private struct Sample {
    var name: String
    var bytes: [UInt8]
    var commits: [LogFixture.Commit]
    /// Where the groups begin, and the end.
    var groups: [UInt64]
  }

  private static let fileStart = 4096
  private static let base = RedoFormat.firstLSN

  private func sample(sequence: UInt64 = 0) throws -> Sample {
    let fixture = try LogFixture()
    var random = SplitMix(20)
    var commits: [LogFixture.Commit] = []
    var groups = [fixture.log.durable]
    fixture.log.superblockSequence = sequence
    for _ in 0..<3 {
      for _ in 0..<4 { commits.append(try fixture.commit(random.bytes(20 + random.below(60)))) }
      try fixture.log.flush()
      groups.append(fixture.log.durable)
    }
    let files = try TestFiles.contents(fixture.platform.files)
    #expect(files.count == 1)
    return Sample(name: files[0].name, bytes: files[0].bytes, commits: commits, groups: groups)
  }

  private func scan(
    _ sample: Sample, _ bytes: [UInt8], durable: UInt64 = 0, sequence: UInt64 = 0
  ) throws -> [LogFixture.Commit] {
    let world = try TestFiles.world([(sample.name, bytes)])
    return try LogFixture.scan(world.files, durable: durable, sequence: sequence).commits
  }

  private func offset(_ lsn: UInt64) -> Int { Self.fileStart + Int(lsn - Self.base) }

  private func isPrefix(_ found: [LogFixture.Commit], of all: [LogFixture.Commit]) -> Bool {
    found.count <= all.count && found == Array(all[0..<found.count])
  }

  @Test func aTornTailAtAnyByteLeavesAPrefix() throws {
    let sample = try sample()
    #expect(try scan(sample, sample.bytes) == sample.commits)
    var counts: [Int] = []
    // The last group's pad begins long before its end; every byte of what is before it.
    let lastGroup = offset(sample.groups[2])
    for cut in lastGroup..<lastGroup + 600 {
      var bytes = sample.bytes
      for index in cut..<bytes.count { bytes[index] = 0 }
      let found = try scan(sample, bytes, durable: sample.groups[2])
      #expect(isPrefix(found, of: sample.commits))
      counts.append(found.count)
    }
    #expect(counts.first == 8 && counts.last == 12)
    #expect(counts == counts.sorted())
  }

  /// A segment bears its name from when it is whole. So a short one was cut, and nothing else knows of the groups in
  /// the last one: taken for a torn tail, all that was flushed into it would be gone.
  @Test func aSegmentThatWasCutIsReported() throws {
    let sample = try sample()
    let cuts =
      [0, 1, 63, 64, 2047, 2048, 2112, 4095, 4096, 4097, sample.bytes.count - 1]
      + Array(stride(from: 100, to: sample.bytes.count, by: 61))
    for cut in cuts {
      let bytes = Array(sample.bytes[0..<cut])
      #expect(throws: LugeError.self, "cut to \(cut)") { try scan(sample, bytes) }
    }
  }

  /// What was being made when the process ended bears another name, and goes.
  @Test func aSegmentThatWasNotCompletedIsRemoved() throws {
    let sample = try sample()
    let world = try TestFiles.world([
      (sample.name, sample.bytes), ("redo-0000000000000009.new", [1, 2, 3]),
      ("redo-9.new", []), ("page-0000000000000009.new", []),
    ])
    #expect(try LogFixture.scan(world.files).commits == sample.commits)
    try RedoSegmentFiles.removeUnfinished(world.files, directory: "/db")
    #expect(
      try world.files.list("/db") == [
        "page-0000000000000009.new", sample.name, "redo-9.new",
      ])
  }

  @Test func rotBeforeTheLastGroupIsReportedAndInItEndsTheLog() throws {
    let sample = try sample()
    var reported = 0
    var random = SplitMix(21)
    for group in 0..<3 {
      let start = offset(sample.groups[group])
      for index in start..<start + 560 {
        var bytes = sample.bytes
        bytes[index] ^= 1 << UInt8(random.below(8))
        do {
          let found = try scan(sample, bytes)
          #expect(isPrefix(found, of: sample.commits))
          // Harmless only in the body of a pad, which nobody reads.
          if group < 2 { #expect(found == sample.commits, "byte \(index)") }
        } catch {
          #expect((error as? LugeError)?.code == .corruption)
          #expect(group < 2)
          reported += 1
        }
      }
    }
    #expect(reported > 600)
  }

  @Test func everyBitOfAHeaderCopyMayRot() throws {
    let sample = try sample()
    for offset in RedoSegmentHeader.copyOffsets {
      for bit in 0..<RedoSegmentHeader.bytes * 8 {
        var bytes = sample.bytes
        bytes[offset + bit / 8] ^= 1 << UInt8(bit % 8)
        #expect(try scan(sample, bytes) == sample.commits)
      }
    }
    var bytes = sample.bytes
    bytes[20] ^= 1
    bytes[2068] ^= 1
    #expect(throws: LugeError.self) { try scan(sample, bytes) }
  }

  /// Every sector of the file in turn. One in the log is missed. One behind its end might have been a group that says
  /// that more was durable, unless a close says that there is none.
  @Test func anUnreadableSectorIsMissedWhereSomethingMayHaveBeen() throws {
    let sample = try sample()
    let files = HookedFileSystem(try TestFiles.world([(sample.name, sample.bytes)]).files)
    let end = offset(sample.groups[3])
    #expect(sample.bytes.count - end == RedoFormat.blockBytes)
    for wasClosed in [false, true] {
      for sector in stride(from: Self.fileStart, to: sample.bytes.count, by: 512) {
        files.setHook { call in
          let start = Int(call.offset)
          return call.operation == "read" && start < sector + 512 && sector < start + call.count
            ? .inputOutput : nil
        }
        var found: [LogFixture.Commit]?
        do {
          let scan = try LogFixture.scan(
            files, durable: sample.groups[3], wasClosed: wasClosed)
          found = scan.commits
        } catch { #expect((error as? LugeError)?.code == .inputOutput) }
        let isMissed = wasClosed ? sector < end : sector <= end
        #expect(found == (isMissed ? nil : sample.commits), "sector at \(sector), \(wasClosed)")
      }
    }
  }

  @Test func zeroedBlocksAreDamageUnlessTheyAreTheLastGroup() throws {
    let sample = try sample()
    for group in 0..<3 {
      var bytes = sample.bytes
      for index in offset(sample.groups[group])..<offset(sample.groups[group + 1]) {
        bytes[index] = 0
      }
      if group < 2 {
        #expect(throws: LugeError.self) { try scan(sample, bytes) }
      } else {
        #expect(try scan(sample, bytes) == Array(sample.commits[0..<8]))
        #expect(throws: LugeError.self) {
          try scan(sample, bytes, durable: sample.groups[3])
        }
      }
    }
  }

  @Test func aSuperblockThatTheLogKnowsAndNobodyFindsIsDamage() throws {
    let sample = try sample(sequence: 7)
    #expect(try scan(sample, sample.bytes, sequence: 7) == sample.commits)
    #expect(try scan(sample, sample.bytes, sequence: 8) == sample.commits)
    do {
      _ = try scan(sample, sample.bytes, sequence: 6)
      Issue.record("not reported")
    } catch { #expect((error as? LugeError)?.code == .corruption) }
  }

  @Test func anotherIncarnationsPiecesAreNotTaken() throws {
    let sample = try sample()
    let world = try TestFiles.world([(sample.name, sample.bytes)])
    let found = try LogFixture.scan(world.files, incarnation: 2)
    #expect(found.commits.isEmpty && found.result.end == Self.base)
    // The same bytes under a header that claims the other incarnation.
    let header = RedoSegmentHeader(
      serial: 1, incarnation: 2, base: Self.base, payloadBytes: 16 << 10, superblockSequence: 0)
    var bytes = sample.bytes
    for offset in RedoSegmentHeader.copyOffsets {
      bytes.replaceSubrange(offset..<offset + RedoSegmentHeader.bytes, with: header.encoded())
    }
    let other = try TestFiles.world([(sample.name, bytes)])
    #expect(try LogFixture.scan(other.files, incarnation: 2).commits.isEmpty)
  }

  @Test func aMissingSegmentIsReportedWhereSomethingKnowsOfIt() throws {
    let fixture = try LogFixture()
    var random = SplitMix(22)
    for _ in 0..<60 { _ = try fixture.commit(random.bytes(800)) }
    try fixture.log.flush()
    let files = try TestFiles.contents(fixture.platform.files)
    #expect(files.count >= 3)
    for missing in files.indices {
      var rest = files
      rest.remove(at: missing)
      let world = try TestFiles.world(rest)
      #expect(throws: LugeError.self) {
        try LogFixture.scan(world.files, durable: fixture.log.durable)
      }
      if missing < files.count - 1 {
        #expect(throws: LugeError.self) { try LogFixture.scan(world.files) }
      }
    }
  }

  @Test func randomFilesNeverTrap() throws {
    let sample = try sample()
    var random = SplitMix(23)
    for _ in 0..<300 {
      var bytes = sample.bytes
      for _ in 0..<1 + random.below(4) {
        let start = random.below(bytes.count)
        let noise = random.bytes(min(1 + random.below(64), bytes.count - start))
        bytes.replaceSubrange(start..<start + noise.count, with: noise)
      }
      if random.below(4) == 0 { bytes.removeLast(random.below(bytes.count)) }
      do {
        #expect(isPrefix(try scan(sample, bytes), of: sample.commits))
      } catch { #expect(error is LugeError) }
    }
  }

  @Test func hostilePiecesWithGoodChecksumsNeverTrap() throws {
    let sample = try sample()
    var random = SplitMix(24)
    let seed = RedoFormat.checksumSeed(incarnation: 1)
    for _ in 0..<500 {
      var bytes = sample.bytes
      let start = Self.fileStart
      var writer = ByteWriter()
      writer.write(UInt32(truncatingIfNeeded: 24 + 8 * random.below(20)))
      writer.write(UInt32(0))
      writer.write(Self.base)
      writer.write(UInt8(random.below(6)))
      writer.write(UInt8(random.below(3)))
      writer.write(UInt16(0))
      writer.write(UInt32(random.below(200)))
      bytes.replaceSubrange(start..<start + 24, with: writer.bytes)
      let piece = Array(bytes[start...])
      let sum = unsafe piece.raw { buffer -> UInt32 in
        guard let header = unsafe RedoHeader(buffer) else { return 0 }
        return unsafe header.computedChecksum(buffer, seed: seed)
      }
      writer.patch(sum, at: 4)
      bytes.replaceSubrange(start..<start + 24, with: writer.bytes)
      do { _ = try scan(sample, bytes) } catch { #expect(error is LugeError) }
    }
  }
}
