import EngineKit
import Testing

/// Reading and writing one key.
@Suite struct OneKeyTests {
  @Test(arguments: Subject.all)
  func writesReturnTheFormerValue(_ subject: Subject) throws {
    try subject.withEngine { engine throws in
      #expect(try engine.get([1], in: .default) == nil)
      #expect(try engine.insert([10], for: [1], in: .default) == nil)
      #expect(try engine.insert([20], for: [1], in: .default) == [10])
      #expect(try engine.insert([20], for: [1], in: .default) == [20])
      #expect(try engine.get([1], in: .default) == [20])
      #expect(try engine.remove([1], in: .default) == [20])
      #expect(try engine.remove([1], in: .default) == nil)
      #expect(try engine.get([1], in: .default) == nil)
    }
  }

  @Test(arguments: Subject.all)
  func emptyKeysAndValuesAreLegal(_ subject: Subject) throws {
    try subject.withEngine { engine throws in
      #expect(try engine.insert([], for: [], in: .default) == nil)
      #expect(try engine.get([], in: .default) == [])
      #expect(try engine.insert([], for: [0], in: .default) == nil)
      #expect(try engine.insert([1], for: [], in: .default) == [])
      let entries = try engine.scan(.all, .forward, limit: .max, in: .default)
      #expect(entries == [Entry([], [1]), Entry([0], [])])
      #expect(try engine.remove([0], in: .default) == [])
      #expect(try engine.remove([], in: .default) == [1])
      #expect(try engine.count(in: .default) == 0)
    }
  }

  @Test(arguments: Subject.all)
  func keysAreOrderedAsUnsignedBytes(_ subject: Subject) throws {
    try subject.withEngine { engine throws in
      let ordered: [Bytes] = [
        [], [0], [0, 0], [0, 1], [1], [0x7f], [0x7f, 0xff], [0x80], [0xff], [0xff, 0],
        [0xff, 0xff], [0xff, 0xff, 0xff],
      ]
      for key in ordered.reversed() { _ = try engine.insert(key, for: key, in: .default) }
      let forward = try engine.scan(.all, .forward, limit: .max, in: .default)
      #expect(forward.map(\.key) == ordered)
      #expect(forward.map(\.value) == ordered)
      let backward = try engine.scan(.all, .backward, limit: .max, in: .default)
      #expect(backward.map(\.key) == ordered.reversed())
    }
  }

  @Test(arguments: Subject.all)
  func longKeysAndValuesComeBack(_ subject: Subject) throws {
    try subject.withEngine { engine throws in
      let key = Bytes((0..<1000).map { UInt8(truncatingIfNeeded: $0 &* 31) })
      let value = Bytes((0..<100_000).map { UInt8(truncatingIfNeeded: $0 &* 17 &+ $0 >> 8) })
      _ = try engine.insert(value, for: key, in: .default)
      _ = try engine.insert([1], for: key + [0], in: .default)
      #expect(try engine.get(key, in: .default) == value)
      #expect(try engine.insert([2], for: key, in: .default) == value)
      #expect(try engine.get(key, in: .default) == [2])
      #expect(try engine.get(key + [0], in: .default) == [1])
    }
  }

  @Test(arguments: Subject.having(.compareExchange))
  func compareExchangeCreatesModifiesAndDeletes(_ subject: Subject) throws {
    try subject.withEngine { engine throws in
      func exchange(_ expected: Bytes?, _ desired: Bytes?) throws -> (Bool, Bytes?) {
        let result = try engine.compareExchange(
          [1], expected: expected, desired: desired, in: .default)
        return (result.exchanged, result.original)
      }
      #expect(try exchange([9], [1]) == (false, nil))
      #expect(try exchange(nil, nil) == (true, nil))
      #expect(try engine.get([1], in: .default) == nil)
      #expect(try exchange(nil, [1]) == (true, nil))
      #expect(try exchange(nil, [2]) == (false, [1]))
      #expect(try exchange([1], []) == (true, [1]))
      #expect(try exchange([1, 1], [3]) == (false, []))
      #expect(try exchange([], [3]) == (true, []))
      #expect(try engine.get([1], in: .default) == [3])
      #expect(try exchange([3], nil) == (true, [3]))
      #expect(try engine.get([1], in: .default) == nil)
      #expect(try engine.count(in: .default) == 0)
    }
  }

  @Test(arguments: Subject.having(.compareExchange))
  func compareExchangeComparesWholeValues(_ subject: Subject) throws {
    try subject.withEngine { engine throws in
      let large = Bytes(repeating: 7, count: 20_000)
      var other = large
      other[19_999] = 8
      _ = try engine.insert(large, for: [1], in: .default)
      let wrong = try engine.compareExchange([1], expected: other, desired: [], in: .default)
      #expect(!wrong.exchanged && wrong.original == large)
      let right = try engine.compareExchange([1], expected: large, desired: other, in: .default)
      #expect(right.exchanged && right.original == large)
      #expect(try engine.get([1], in: .default) == other)
    }
  }

  @Test(arguments: Subject.all)
  func countFollowsEveryWrite(_ subject: Subject) throws {
    try subject.withEngine { engine throws in
      #expect(try engine.count(in: .default) == 0)
      for key in 0..<50 as Range<UInt8> { _ = try engine.insert([key], for: [key], in: .default) }
      #expect(try engine.count(in: .default) == 50)
      for key in 0..<50 as Range<UInt8> { _ = try engine.insert([0], for: [key], in: .default) }
      #expect(try engine.count(in: .default) == 50)
      for key in 0..<20 as Range<UInt8> { _ = try engine.remove([key], in: .default) }
      _ = try engine.remove([0], in: .default)
      #expect(try engine.count(in: .default) == 30)
    }
  }
}
