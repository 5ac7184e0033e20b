import EngineKit
import Testing

/// Batches, trees and ids.
@Suite struct ManyKeysTests {
  @Test(arguments: Subject.having(.batches))
  func laterEntriesOfABatchWin(_ subject: Subject) throws {
    try subject.withEngine { engine throws in
      try engine.put("a", "old")
      try engine.put("b", "old")
      try engine.apply([
        BatchWrite(bytes("a"), bytes("1")), BatchWrite(bytes("b"), nil),
        BatchWrite(bytes("c"), bytes("1")), BatchWrite(bytes("a"), bytes("2")),
        BatchWrite(bytes("c"), nil), BatchWrite(bytes("d"), nil),
        BatchWrite(bytes("d"), bytes("4")), BatchWrite(bytes("nowhere"), nil),
      ])
      #expect(try engine.text("a") == "2")
      #expect(try engine.keys() == ["a", "d"])
      #expect(try engine.count(in: .default) == 2)
      try engine.apply([])
      #expect(try engine.count(in: .default) == 2)
    }
  }

  @Test(arguments: Subject.having([.batches, .namedTrees, .crossTreeBatches]))
  func batchesReachSeveralTrees(_ subject: Subject) throws {
    try subject.withDatabase { database throws in
      var engine = try database.open()
      try engine.apply([
        BatchWrite([1], [1]), BatchWrite([1], [2], in: "x"), BatchWrite([1], [3], in: "y"),
        BatchWrite([2], [4], in: "x"), BatchWrite([1], nil, in: "y"),
      ])
      try engine.close()
      engine = try database.open()
      #expect(try engine.get([1], in: .default) == [1])
      #expect(
        try engine.scan(.all, .forward, limit: .max, in: "x") == [Entry([1], [2]), Entry([2], [4])])
      #expect(try engine.count(in: "y") == 0)
      try engine.close()
    }
  }

  @Test(arguments: Subject.having(.batches))
  func largeBatchesAreTakenWhole(_ subject: Subject) throws {
    try subject.withDatabase { database throws in
      var engine = try database.open()
      try engine.apply(
        (0..<1000).map {
          BatchWrite([UInt8($0 >> 8), UInt8($0 & 255)], Bytes(repeating: 5, count: 40))
        })
      #expect(try engine.count(in: .default) == 1000)
      try engine.flush()
      try engine.close()
      engine = try database.open()
      #expect(try engine.scan(.all, .backward, limit: .max, in: .default).count == 1000)
      try engine.close()
    }
  }

  @Test(arguments: Subject.having(.namedTrees))
  func treesAreApart(_ subject: Subject) throws {
    try subject.withEngine { engine throws in
      try engine.put("k", "default")
      try engine.put("k", "one", in: "one")
      try engine.put("k", "zwei \u{1F332}", in: "\u{1F332}")
      #expect(try engine.text("k") == "default")
      #expect(try engine.text("k", in: "one") == "one")
      #expect(try engine.text("k", in: "\u{1F332}") == "zwei \u{1F332}")
      #expect(try engine.remove(bytes("k"), in: "one") == bytes("one"))
      #expect(try engine.text("k") == "default")
      #expect(try engine.text("k", in: "never") == nil)
      #expect(try engine.keys(in: "never") == [])
      #expect(try engine.count(in: "never") == 0)
      let names = try engine.treeNames()
      #expect(names.contains(.default) && names.contains("one") && names.contains("\u{1F332}"))
    }
  }

  @Test(arguments: Subject.having([.namedTrees, .treeRemoval]))
  func aDroppedTreeIsGoneAndMayComeBackEmpty(_ subject: Subject) throws {
    try subject.withDatabase { database throws in
      var engine = try database.open()
      #expect(try !engine.dropTree("never"))
      try engine.put("a", "1", in: "t")
      try engine.put("a", "2", in: "u")
      #expect(try engine.dropTree("t"))
      #expect(try !engine.treeNames().contains("t"))
      #expect(try !engine.dropTree("t"))
      try engine.put("b", "3", in: "t")
      #expect(try engine.keys(in: "t") == ["b"])
      #expect(try engine.text("a", in: "u") == "2")
      #expect(try engine.dropTree("u"))
      try engine.close()
      engine = try database.open()
      // Asked first: an engine may make a tree when it is read.
      #expect(try !engine.treeNames().contains("u"))
      #expect(try engine.keys(in: "t") == ["b"])
      #expect(try engine.keys(in: "u") == [])
      try engine.put("c", "4", in: "u")
      #expect(try engine.keys(in: "u") == ["c"])
      try engine.close()
    }
  }

  @Test(arguments: Subject.having(.treeRemoval))
  func theDefaultTreeStays(_ subject: Subject) throws {
    try subject.withEngine { engine throws in
      try engine.put("a", "1")
      #expect(failure { _ = try engine.dropTree(.default) } == .invalidArgument)
      #expect(try engine.text("a") == "1")
    }
  }

  @Test(arguments: Subject.having(.identifiers))
  func idsGrowAcrossOpenings(_ subject: Subject) throws {
    try subject.withDatabase { database throws in
      var last: UInt64?
      for _ in 0..<3 {
        let engine = try database.open()
        for _ in 0..<300 {
          let id = try engine.nextID()
          if let last { #expect(id > last) }
          last = id
        }
        try engine.close()
      }
    }
  }
}
