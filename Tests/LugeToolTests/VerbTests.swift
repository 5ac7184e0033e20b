import Foundation
import Testing

/// What each verb does, seen from the shell.
@Suite struct VerbTests {
  @Test func putGetRemove() throws {
    try withFolder { (folder) throws in
      let path = folder.appending(path: "db").path
      #expect(try LugectlRun("put", path, "apple", "red").output == "inserted\n")
      #expect(try LugectlRun("put", path, "apple", "green").output == "replaced\n")
      let found = try LugectlRun("get", path, "apple")
      #expect(found.code == 0 && found.output == "green\n" && found.error == "")
      #expect(try LugectlRun("get", path, "apple", "--raw").output == "green")

      let missing = try LugectlRun("get", path, "pear")
      #expect(missing.code == 1 && missing.output == "")
      #expect(missing.error == "lugectl: there is no entry for pear\n")

      #expect(try LugectlRun("remove", path, "apple").output == "removed\n")
      #expect(try LugectlRun("remove", path, "apple").code == 1)
      #expect(try LugectlRun("get", path, "apple").code == 1)
    }
  }

  @Test func json() throws {
    try withFolder { (folder) throws in
      let path = folder.appending(path: "db").path
      #expect(
        try LugectlRun("put", path, "a/b", "1", "--format", "json").output
          == #"{"inserted":true,"key":"a/b"}"# + "\n")
      #expect(
        try LugectlRun("put", path, "a/b", "2", "--format", "json").output
          == #"{"former":"1","inserted":false,"key":"a/b"}"# + "\n")
      #expect(
        try LugectlRun("get", path, "a/b", "--format", "json").output
          == #"{"found":true,"key":"a/b","value":"2"}"# + "\n")
      let missing = try LugectlRun("get", path, "c", "--format", "json")
      #expect(missing.code == 1 && missing.output == #"{"found":false,"key":"c"}"# + "\n")
      #expect(
        try LugectlRun("remove", path, "a/b", "--format", "json").output
          == #"{"former":"2","key":"a/b","removed":true}"# + "\n")
    }
  }

  @Test func scan() throws {
    try withFolder { (folder) throws in
      let path = folder.appending(path: "db").path
      for key in ["a1", "a2", "a3", "b1"] { _ = try LugectlRun("put", path, key, "v" + key) }
      #expect(try LugectlRun("scan", path).output == "a1\tva1\na2\tva2\na3\tva3\nb1\tvb1\n")
      #expect(try LugectlRun("scan", path, "--prefix", "a", "--keys-only").output == "a1\na2\na3\n")
      #expect(
        try LugectlRun("scan", path, "--from", "a2", "--to", "b1", "--keys-only").output
          == "a2\na3\n")
      #expect(
        try LugectlRun("scan", path, "--reverse", "--limit", "2", "--keys-only").output
          == "b1\na3\n")
      #expect(
        try LugectlRun("scan", path, "--prefix", "a", "--from", "a2", "--to", "z", "--keys-only")
          .output == "a2\na3\n")
      #expect(try LugectlRun("scan", path, "--from", "b", "--to", "a").output == "")
      #expect(
        try LugectlRun("scan", path, "--prefix", "b", "--format", "json").output
          == #"{"key":"b1","value":"vb1"}"# + "\n")
    }
  }

  @Test func bytesThatAreNoText() throws {
    try withFolder { (folder) throws in
      let path = folder.appending(path: "db").path
      #expect(try LugectlRun("put", path, "00ff", "5c0a", "--hex").code == 0)
      #expect(try LugectlRun("scan", path).output == "\\x00\\xff\t\\\\\\n\n")
      #expect(try LugectlRun("scan", path, "--hex").output == "00ff\t5c0a\n")
      #expect(try LugectlRun("put", path, "", "").code == 0)
      #expect(try LugectlRun("get", path, "").output == "\n")
    }
  }

  @Test func treesStayApart() throws {
    try withFolder { (folder) throws in
      let path = folder.appending(path: "db").path
      _ = try LugectlRun("put", path, "k", "default")
      _ = try LugectlRun("put", path, "k", "named", "--tree", "t")
      #expect(try LugectlRun("get", path, "k").output == "default\n")
      #expect(try LugectlRun("get", path, "k", "--tree", "t").output == "named\n")

      let unknown = try LugectlRun("get", path, "k", "--tree", "u")
      #expect(unknown.code == 1 && unknown.error == "lugectl: there is no tree \"u\"\n")
      let stats = try LugectlRun("stats", path)
      #expect(stats.output.contains("tree (default): 1 entries\ntree t: 1 entries\n"))
      #expect(!stats.output.contains("tree u"))
    }
  }

  @Test func verifyAndStats() throws {
    try withFolder { (folder) throws in
      let path = folder.appending(path: "db").path
      _ = try LugectlRun("put", path, "k", "v")
      let verified = try LugectlRun("verify", path)
      #expect(verified.code == 0 && verified.output.hasPrefix("HELD     1 entries in "))
      let report = try LugectlRun("verify", path, "--format", "json").output
      #expect(report.contains(#""verdict":"held""#) && report.contains(#""problems":[]"#))
      let object = try #require(
        JSONSerialization.jsonObject(
          with: Data(LugectlRun("stats", path, "--format", "json").output.utf8)) as? [String: Any])
      let counters = try #require(object["counters"] as? [String: Int])
      let durable = try #require(counters["durableLSN"])
      #expect(durable > 0)
      #expect(counters["entries"] == 1)
    }
  }
}
