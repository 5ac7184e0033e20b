import EngineKit
import Testing

/// Ranges, prefixes, directions and limits.
@Suite struct ScanTests {
  private func withLetters(_ subject: Subject, _ body: (any KeyValueEngine) throws -> Void) throws {
    try subject.withEngine { engine throws in
      for key in ["a", "b", "ba", "bb", "c", "d"] { try engine.put(key, key) }
      try body(engine)
    }
  }

  @Test(arguments: Subject.all)
  func boundsIncludeTheLowerAndExcludeTheUpper(_ subject: Subject) throws {
    try withLetters(subject) { engine throws in
      let range = KeyRange(lower: bytes("b"), upper: bytes("c"))
      #expect(try engine.keys(range) == ["b", "ba", "bb"])
      #expect(try engine.keys(range, .backward) == ["bb", "ba", "b"])
      #expect(try engine.keys(KeyRange(lower: bytes("bb"))) == ["bb", "c", "d"])
      #expect(try engine.keys(KeyRange(upper: bytes("b"))) == ["a"])
      #expect(try engine.keys(KeyRange(lower: bytes("aa"), upper: bytes("bab"))) == ["b", "ba"])
      #expect(try engine.keys(KeyRange(lower: [], upper: bytes("b"))) == ["a"])
      #expect(try engine.keys(KeyRange(lower: bytes("e"))) == [])
    }
  }

  @Test(arguments: Subject.all)
  func invertedAndEmptyRangesHoldNothing(_ subject: Subject) throws {
    try withLetters(subject) { engine throws in
      for direction in [Direction.forward, .backward] {
        #expect(try engine.keys(KeyRange(lower: bytes("c"), upper: bytes("a")), direction) == [])
        #expect(try engine.keys(KeyRange(lower: bytes("b"), upper: bytes("b")), direction) == [])
        #expect(try engine.keys(KeyRange(upper: []), direction) == [])
        #expect(try engine.keys(.all, direction, limit: 0) == [])
      }
    }
  }

  @Test(arguments: Subject.all)
  func limitsCutInTheDirectionOfTheScan(_ subject: Subject) throws {
    try withLetters(subject) { engine throws in
      #expect(try engine.keys(.all, .forward, limit: 2) == ["a", "b"])
      #expect(try engine.keys(.all, .backward, limit: 2) == ["d", "c"])
      let range = KeyRange(lower: bytes("b"), upper: bytes("c"))
      #expect(try engine.keys(range, .backward, limit: 1) == ["bb"])
      #expect(try engine.keys(range, .backward, limit: 2) == ["bb", "ba"])
      #expect(try engine.keys(range, .forward, limit: 9) == ["b", "ba", "bb"])
    }
  }

  @Test(arguments: Subject.all)
  func prefixesMeetAllAndOnlyTheirKeys(_ subject: Subject) throws {
    try withLetters(subject) { engine throws in
      #expect(try engine.keys(.prefix(bytes("b"))) == ["b", "ba", "bb"])
      #expect(try engine.keys(.prefix(bytes("b")), .backward) == ["bb", "ba", "b"])
      #expect(try engine.keys(.prefix(bytes("bb"))) == ["bb"])
      #expect(try engine.keys(.prefix(bytes("x"))) == [])
      #expect(try engine.keys(.prefix([])).count == 6)
    }
  }

  @Test(arguments: Subject.all)
  func prefixOfTheHighestBytesHasNoUpperBound(_ subject: Subject) throws {
    try subject.withEngine { engine throws in
      let keys: [Bytes] = [
        [0xfe, 0xff], [0xff], [0xff, 0xfe], [0xff, 0xff], [0xff, 0xff, 0],
        [0xff, 0xff, 0xff, 0xff],
      ]
      for key in keys { _ = try engine.insert([], for: key, in: .default) }
      func found(_ prefix: Bytes, _ direction: Direction = .forward) throws -> [Bytes] {
        try engine.scan(.prefix(prefix), direction, limit: .max, in: .default).map(\.key)
      }
      #expect(try found([0xff]) == Array(keys[1...]))
      #expect(try found([0xff, 0xff]) == Array(keys[3...]))
      #expect(try found([0xff, 0xff], .backward) == Array(keys[3...].reversed()))
      #expect(try found([0xfe]) == [keys[0]])
      #expect(try found([0xff, 0xff, 0xff]) == [keys[5]])
    }
  }

  @Test(arguments: Subject.all)
  func manyEntriesComeInOrderWithTheirValues(_ subject: Subject) throws {
    try subject.withEngine { engine throws in
      // A full cycle through 0..<2048 in scattered order, so that splits happen everywhere.
      var key = 0
      for _ in 0..<2048 {
        key = (key &* 1229 &+ 351) & 2047
        let bytes = [UInt8(key >> 8), UInt8(key & 255)]
        _ = try engine.insert(bytes + bytes, for: bytes, in: .default)
      }
      let all = (0..<2048).map { [UInt8($0 >> 8), UInt8($0 & 255)] }
      let forward = try engine.scan(.all, .forward, limit: .max, in: .default)
      #expect(forward == all.map { Entry($0, $0 + $0) })
      let backward = try engine.scan(.all, .backward, limit: .max, in: .default)
      #expect(backward == forward.reversed())
      for start in stride(from: 0, to: 2048, by: 97) {
        let part = try engine.scan(
          KeyRange(lower: all[start]), .forward, limit: 10, in: .default)
        #expect(part == Array(forward[start..<min(2048, start + 10)]))
        let back = try engine.scan(
          KeyRange(upper: all[start]), .backward, limit: 10, in: .default)
        #expect(back == Array(forward[max(0, start - 10)..<start].reversed()))
      }
    }
  }
}
