import HistoryKit
import SimulationFormats
import Testing

@Suite struct HistoryFileTests {
  private func verdict(
    _ text: String, _ model: HistoryModel = .casRegister
  ) throws -> HistoryVerdict {
    let history = try HistoryFile(Array(text.utf8), model: model)
    var check = HistoryCheck(
      history.calls, keys: history.keys, values: history.values, events: history.events)
    return check.verdict()
  }

  private static let log = """
    INFO  jepsen.core - Running test
    INFO  jepsen.util - 0\t:invoke\t:write\t3
    INFO  jepsen.util - :nemesis\t:info\t:start\tnil
    INFO  jepsen.util - 1\t:invoke\t:read\tnil
    INFO  jepsen.util - 0\t:ok\t:write\t3
    INFO  jepsen.util - 1\t:ok\t:read\t3
    INFO  jepsen.util - 2\t:invoke\t:cas\t[3 4]
    INFO  jepsen.util - 2\t:info\t:cas\t:timed-out
    INFO  jepsen.util - 1\t:invoke\t:read\tnil
    INFO  jepsen.util - 1\t:ok\t:read\tFOUND
    INFO  jepsen.util - 1\t:invoke\t:read\tnil
    INFO  jepsen.util - 1\t:fail\t:read\t:timed-out

    """

  private static let edn = """
    [{:process 0, :type :invoke, :f :write, :value 3, :index 0, :time 12.5}
     #jepsen.history.Op{:index 1 :process 1 :type :invoke :f :read :value nil :extra {:a [1 {}]}}
     {:process :nemesis :type :info :f :start :value nil} ; a comment
     {:process 0, :type :ok, :f :write, :value 3}
     {:process 1, :type :ok, :f :read, :value FOUND}]
    """

  private static let json = """
    {"process": 0, "type": "invoke", "f": "write", "value": 3}
    {"process": 1, "type": "invoke", "f": "read", "value": null, "time": {"a": [1, "}"]}}

    {"process": 0, "type": "ok", "f": "write", "value": 3}
    {"process": 1, "type": "ok", "f": "read", "value": FOUND}
    """

  @Test(arguments: [
    (log, "3", true), (log, "4", true), (log, "nil", false), (log, "5", false),
    (edn, "3", true), (edn, "nil", true), (edn, "4", false),
    (json, "3", true), (json, "null", true), (json, "4", false),
  ])
  func allThreeKindsAreRead(_ text: String, _ found: String, _ holds: Bool) throws {
    let verdict = try verdict(text.replacing("FOUND", with: found))
    #expect((verdict.kind == .valid) == holds)
    if !holds { #expect(verdict.call != nil && verdict.event != nil) }
  }

  @Test(arguments: [
    ("{\"process\": 0, \"type\": \"ok\", \"f\": \"read\", \"value\": 1}", 1),
    ("{\"process\": 0, \"type\": \"invoke\", \"f\": \"read\"}\n{\"process\": 0", 2),
    ("{\"process\": 0, \"type\": \"invoke\", \"f\": \"read\"} x", 1),
    ("{\"process\": 0, \"type\": \"asks\", \"f\": \"read\"}", 1),
    ("{\"process\": 0, \"type\": \"invoke\", \"f\": \"cas\", \"value\": 1}", 1),
    ("{\"process\": 0, \"type\": \"invoke\", \"f\": \"jump\", \"value\": 1}", 1),
    ("{:process 0 :type :invoke :f :read}\n\n{:process 0 :type :invoke :f :read}", 3),
    ("{:process 0 :type :invoke", 1),
    ("INFO  jepsen.util - 0\t:invoke\t:write\t3\nINFO  jepsen.util - 0\t:ok\t:writ\t3", 2),
    ("INFO  jepsen.util - 0\t:invoke\t:write\t3\nnonsense", 2),
    ("INFO  jepsen.util - 0\t:invoke\t:write", 1),
  ])
  func aMalformedLineIsNamed(_ text: String, _ line: Int) {
    let error = #expect(throws: HistoryFileError.self) { try verdict(text) }
    #expect(error?.line == line)
  }

  /// However a file is cut into pieces, it says the same, and so does what is wrong with it.
  @Test(arguments: [1, 2, 3, 7, 64])
  func piecesMakeNoDifference(_ bytes: Int) throws {
    func read(_ text: String, _ bytes: Int?) -> Result<HistoryVerdict, HistoryFileError> {
      var left = Array(text.utf8)[...]
      return Result { () throws(HistoryFileError) in
        let history = try HistoryFile(model: .casRegister) {
          defer { left = left.dropFirst(bytes ?? left.count) }
          return Array(left.prefix(bytes ?? left.count))
        }
        var check = HistoryCheck(
          history.calls, keys: history.keys, values: history.values, events: history.events)
        return check.verdict()
      }
    }
    for text in [HistoryFileTests.log, HistoryFileTests.edn, HistoryFileTests.json] {
      // The character in two escapes: found by fuzzing.
      for found in ["3", "4", "nil", "null", "\"x", "{", "]", #""\ud83d\ude00""#, #""\ud83d"#] {
        let text = text.replacing("FOUND", with: found)
        #expect(read(text, bytes) == read(text, nil), "\(text)")
      }
    }
    let cut = "; a comment\n{:process 0 :type :invoke"
    #expect(read(cut, bytes) == read(cut, nil))
  }

  @Test func independentKeysArePairs() throws {
    func text(_ found: Int) -> String {
      """
      {:process 0 :type :invoke :f :write :value [:x 1]}
      {:process 1 :type :invoke :f :read :value [:y nil]}
      {:process 0 :type :ok :f :write :value [:x 1]}
      {:process 1 :type :ok :f :read :value [:y nil]}
      {:process 1 :type :invoke :f :cas :value [:x [1 2]]}
      {:process 1 :type :ok :f :cas :value [:x [1 2]]}
      {:process 1 :type :invoke :f :read :value [:x nil]}
      {:process 1 :type :ok :f :read :value [:x \(found)]}
      """
    }
    #expect(try verdict(text(2)).kind == .valid)
    #expect(try verdict(text(1)).kind == .invalid)
  }

  @Test func mapsWithScansAndBatches() throws {
    func text(_ entries: String) -> String {
      """
      {"process":0,"type":"invoke","f":"batch","value":[["b",1],["a",2]]}
      {"process":1,"type":"invoke","f":"scan","from":"a","to":"c"}
      {"process":0,"type":"ok","f":"batch"}
      {"process":1,"type":"ok","f":"scan","value":\(entries)}
      {"process":1,"type":"invoke","f":"remove","key":"a"}
      {"process":1,"type":"ok","f":"remove","found":2}
      {"process":1,"type":"invoke","f":"get","key":"a"}
      {"process":1,"type":"ok","f":"get","value":null}
      """
    }
    #expect(try verdict(text(#"[["a",2],["b",1]]"#), .map).kind == .valid)
    #expect(try verdict(text("[]"), .map).kind == .valid)
    #expect(try verdict(text(#"[["a",2]]"#), .map).kind == .invalid)
    #expect(try verdict(text(#"[["b",1],["a",2]]"#), .map).kind == .invalid)
    #expect(try verdict(text(#"[["z",2]]"#), .map).kind == .invalid)
  }

  @Test func fieldsOfAnyBytesNeverTrap() {
    var state: UInt64 = 7
    for text in [HistoryFileTests.log, HistoryFileTests.edn, HistoryFileTests.json] {
      var round = 0
      while round < 2000 {
        round += 1
        var bytes = Array(text.utf8)
        var left = 1 + round % 3
        while left > 0 {
          state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
          let place = Int((state >> 33) % UInt64(bytes.count))
          if round % 5 == 0 {
            bytes.remove(at: place)
          } else {
            bytes[place] = UInt8(truncatingIfNeeded: state >> 20)
          }
          left -= 1
        }
        _ = try? HistoryFile(bytes, model: .map)
      }
    }
  }

  @Test(arguments: [1, 2, 3, 4, 5, 6, 7, 8] as [UInt64])
  func whatTheMakerMakesIsRightOrWrongAsAsked(seed: UInt64) throws {
    for isWrong in [false, true] {
      let maker = HistoryMaker(
        clients: 8, operations: 1500, unknown: 12, overlap: 5, seed: seed, isWrong: isWrong)
      var text: [UInt8] = []
      for line in maker { HistoryJSON.append(line, to: &text) }
      let history = try HistoryFile(text, model: .casRegister)
      #expect(history.calls.count > 1400)
      var check = HistoryCheck(
        history.calls, keys: history.keys, values: history.values, events: history.events)
      let verdict = check.verdict()
      #expect(verdict.kind == (isWrong ? .invalid : .valid))
      if let event = verdict.event { #expect(event > history.events * 8 / 10) }
    }
  }
}
