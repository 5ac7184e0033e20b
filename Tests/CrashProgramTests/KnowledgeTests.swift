import EngineKit
import Testing

@testable import CrashSupport

/// What a client knows of its own keys convicts wrong answers, and only those.
@Suite struct KnowledgeTests {
  private func key(_ number: Int) -> Bytes { [0x61, UInt8(number)] }
  private func entry(_ number: Int, _ value: UInt8) -> Entry { Entry(key(number), [value]) }

  /// Knows: 1 and 3 hold their number, 2 is absent; of 4 nothing.
  private func knowledge() -> Knowledge {
    var knowledge = Knowledge(client: 0)
    for number in [3, 1] {
      let problem = knowledge.learn(
        .insert([UInt8(number)], for: key(number), in: ""), .value(nil))
      #expect(problem == nil)
    }
    #expect(knowledge.learn(.remove(key(2), in: ""), .value([9])) == nil)
    return knowledge
  }

  @Test func singleKeys() {
    var knowledge = knowledge()
    #expect(knowledge.learn(.get(key(1), in: ""), .value([1])) == nil)
    #expect(knowledge.learn(.get(key(1), in: ""), .value(nil)) != nil)
    knowledge = self.knowledge()
    #expect(knowledge.learn(.insert([5], for: key(2), in: ""), .value([2])) != nil)
    // What was read is known from then on.
    #expect(knowledge.learn(.get(key(4), in: ""), .value([4])) == nil)
    #expect(knowledge.learn(.get(key(4), in: ""), .value([5])) != nil)
    // A write that failed may have taken place, or not.
    _ = knowledge.learn(
      .insert([6], for: key(3), in: ""), .failure(.noSpace, message: "", refused: false))
    #expect(knowledge.learn(.get(key(3), in: ""), .value([6])) == nil)
  }

  @Test func othersMayWriteTheirs() {
    var knowledge = Knowledge(client: 0)
    for key in [[0x62, 1], CrashKey.shared] as [Bytes] {
      #expect(knowledge.learn(.insert([1], for: key, in: ""), .value(nil)) == nil)
      #expect(knowledge.learn(.get(key, in: ""), .value([2])) == nil)
    }
    #expect(knowledge.learn(.insert([1], for: key(1), in: "passing-1"), .value(nil)) == nil)
    #expect(knowledge.learn(.get(key(1), in: "passing-1"), .value(nil)) == nil)
  }

  /// What is wrong with an answer, or nil.
  private func scan(
    _ entries: [Entry], _ range: KeyRange = .all, _ direction: Direction = .forward,
    limit: Int = .max
  ) -> String? {
    var knowledge = knowledge()
    return knowledge.learn(.scan(range, direction, limit: limit, in: ""), .entries(entries))
  }

  @Test func rightScans() {
    let other = Entry([0x62], [1])
    #expect(scan([entry(1, 1), entry(3, 3)]) == nil)
    #expect(scan([entry(1, 1), entry(3, 3), entry(4, 4), other]) == nil)
    #expect(scan([other, entry(3, 3), entry(1, 1)], .all, .backward) == nil)
    #expect(scan([entry(1, 1)], limit: 1) == nil)
    #expect(scan([other], .all, .backward, limit: 1) == nil)
    #expect(scan([entry(3, 3)], KeyRange(lower: key(2))) == nil)
    #expect(scan([entry(1, 1)], KeyRange(upper: key(3))) == nil)
  }

  @Test func wrongScans() {
    #expect(scan([entry(3, 3)]) != nil)
    #expect(scan([]) != nil)
    #expect(scan([entry(1, 1), entry(2, 9), entry(3, 3)]) != nil)
    #expect(scan([entry(1, 1), entry(3, 1)]) != nil)
    #expect(scan([entry(3, 3), entry(1, 1)]) != nil)
    #expect(scan([entry(1, 1), entry(1, 1), entry(3, 3)]) != nil)
    #expect(scan([entry(1, 1)], .all, .backward) != nil)
    #expect(scan([entry(3, 3)], limit: 1) != nil)
    #expect(scan([entry(1, 1), entry(3, 3)], limit: 1) != nil)
    #expect(scan([entry(1, 1), entry(3, 3)], KeyRange(upper: key(3))) != nil)
  }
}

private enum CrashKey {
  static let shared: Bytes = [CrashClient.sharedPrefix, 1]
}
