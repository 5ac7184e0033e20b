import EngineKit
import Platform
import Testing

/// Opening, closing, locking, and what is there afterwards.
@Suite struct LifeCycleTests {
  @Test(arguments: Subject.all)
  func contentsComeBackAfterClosing(_ subject: Subject) throws {
    try subject.withDatabase { database throws in
      var engine = try database.open()
      for key in 0..<500 { try engine.put("key\(key)", "value\(key)") }
      for key in stride(from: 0, to: 500, by: 3) {
        _ = try engine.remove(bytes("key\(key)"), in: .default)
      }
      try engine.put("key1", "other")
      let before = try engine.scan(.all, .forward, limit: .max, in: .default)
      try engine.close()
      for _ in 0..<2 {
        engine = try database.open()
        #expect(try engine.scan(.all, .forward, limit: .max, in: .default) == before)
        #expect(
          try engine.scan(.all, .backward, limit: .max, in: .default) == before.reversed())
        #expect(try engine.count(in: .default) == before.count)
        #expect(try engine.checkInvariants() == [])
        try engine.close()
      }
    }
  }

  @Test(arguments: Subject.all)
  func aNewDatabaseIsEmpty(_ subject: Subject) throws {
    try subject.withDatabase { database throws in
      for _ in 0..<2 {
        let engine = try database.open()
        #expect(try engine.count(in: .default) == 0)
        #expect(try engine.scan(.all, .forward, limit: .max, in: .default) == [])
        #expect(try engine.treeNames() == [.default])
        try engine.flush()
        try engine.close()
      }
    }
  }

  @Test(arguments: Subject.all)
  func useAfterCloseIsAnError(_ subject: Subject) throws {
    try subject.withDatabase { database throws in
      let engine = try database.open()
      try engine.put("a", "1")
      try engine.close()
      #expect(failure { _ = try engine.get([1], in: .default) } == .closed)
      #expect(failure { _ = try engine.insert([1], for: [1], in: .default) } == .closed)
      #expect(failure { _ = try engine.remove([1], in: .default) } == .closed)
      #expect(
        failure { _ = try engine.scan(.all, .forward, limit: .max, in: .default) } == .closed)
      #expect(failure { _ = try engine.count(in: .default) } == .closed)
      #expect(failure { try engine.flush() } == .closed)
      #expect(failure { try engine.close() } == .closed)
      let capabilities = subject.factory.capabilities
      if capabilities.contains(.batches) {
        #expect(failure { try engine.apply([BatchWrite([1], [1])]) } == .closed)
      }
      if capabilities.contains(.identifiers) {
        #expect(failure { _ = try engine.nextID() } == .closed)
      }
      let again = try database.open()
      #expect(try again.text("a") == "1")
      #expect(try again.count(in: .default) == 1)
      try again.close()
    }
  }

  @Test(arguments: Subject.all)
  func aSecondOpeningIsRefusedAtOnce(_ subject: Subject) throws {
    try subject.withDatabase { database throws in
      let engine = try database.open()
      try engine.put("a", "1")
      #expect(failure { _ = try database.open() } == .locked)
      // The owner is none the worse for it.
      try engine.put("b", "2")
      #expect(try engine.keys() == ["a", "b"])
      try engine.close()
      let next = try database.open()
      #expect(try next.keys() == ["a", "b"])
      try next.close()
    }
  }

  @Test(arguments: Subject.all)
  func flushAndBackgroundWorkChangeNothingToBeSeen(_ subject: Subject) throws {
    try subject.withDatabase { database throws in
      let engine = try database.open()
      for round in 0..<5 {
        for key in 0..<50 { try engine.put("k\(key)", "\(round)") }
        try engine.flush()
        try engine.performBackgroundWork()
        if subject.factory.capabilities.contains(.checkpoints) { try engine.checkpoint() }
        #expect(try engine.count(in: .default) == 50)
        #expect(try engine.text("k7") == "\(round)")
      }
      try engine.close()
      let again = try database.open()
      #expect(try again.text("k49") == "4")
      try again.close()
    }
  }

  @Test(arguments: Subject.all)
  func everyFaultClassHasAnAnswer(_ subject: Subject) {
    // What an engine that can be simulated promises is what issue-wide scenarios draw.
    let contract = subject.factory.faultContract
    if subject.factory.capabilities.contains(.simulatable) {
      for fault in [
        FaultClass.processKill, .powerLoss, .droppedWrite, .tornWrite, .reorderedWrite,
        .lostLength, .lostDirectoryEntry, .latency, .stuckCall,
      ] { #expect(contract[fault] == .survives, "\(fault)") }
      for fault in [
        FaultClass.readError, .writeError, .noSpace, .shortRead, .shortWrite, .syncFailure, .bitRot,
        .misdirectedRead, .misdirectedWrite, .staleRead, .latentSectorError,
      ] { #expect(contract[fault] == .reports, "\(fault)") }
    }
    // Nobody can keep what the disk only says that it keeps.
    #expect([.mayLose, .outOfScope].contains(contract[.lyingSync]))
  }

  @Test(arguments: Subject.having(.simulatable))
  func aForeignFileIsReportedAndLeftAlone(_ subject: Subject) throws {
    try subject.withDatabase { database throws in
      let engine = try database.open()
      for key in 0..<100 { try engine.put("k\(key)", "value") }
      try engine.close()
      let files = database.platform.files
      let noise = Bytes((0..<4096).map { UInt8(truncatingIfNeeded: $0 &* 7) })
      var damaged: [(path: String, size: Int64)] = []
      for name in try files.list(database.directory) {
        let path = database.directory + "/" + name
        guard let status = try files.status(path), status.size > 0 else { continue }
        let file = try files.open(path, .readWrite)
        try file.truncate(to: 0)
        try file.writeFully(noise, at: 0)
        file.close()
        damaged.append((path, 4096))
      }
      #expect(!damaged.isEmpty)
      #expect(failure { _ = try database.open() } == .corruption)
      for (path, size) in damaged { #expect(try files.status(path)?.size == size) }
    }
  }
}
