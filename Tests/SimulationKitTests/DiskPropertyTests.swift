import EngineKit
import Platform
import Testing

@testable import SimulationKit

/// The same operations on the simulated disk and on a model that is too simple to be wrong: whole
/// byte arrays, and for each sector and name the list of what it may be after a power loss.
@Suite("The simulated disk against a naive model")
struct DiskPropertyTests {
  @Test("random operations, kills and power losses", arguments: 0..<60 as Range<UInt64>)
  func random(seed: UInt64) throws {
    var run = NaiveRun(seed: seed)
    for _ in 0..<300 { try run.step() }
    try run.compareAll()
    #expect(run.powerLosses > 0)
  }
}

private struct NaiveFile {
  var bytes: [UInt8] = []
  /// What each sector may be: the durable version first. Missing: zeros only.
  var versions: [Int: [[UInt8]]] = [:]
  /// Sectors that the next sync makes durable.
  var dirty: Set<Int> = []
  var lengths = [0]

  func sector(_ index: Int) -> [UInt8] {
    let start = min(index * 512, bytes.count)
    let piece = Array(bytes[start..<min(start + 512, bytes.count)])
    return piece + [UInt8](repeating: 0, count: 512 - piece.count)
  }

  /// Changes the bytes and notes the new versions of the sectors of a range.
  mutating func change(_ range: Range<Int>, _ body: (inout [UInt8]) -> Void) {
    let touched = range.isEmpty ? [] : Array(range.lowerBound / 512...(range.upperBound - 1) / 512)
    for index in touched where versions[index] == nil {
      let durable = sector(index)
      versions[index] = [durable]
    }
    body(&bytes)
    for index in touched {
      let newest = sector(index)
      versions[index]?.append(newest)
      dirty.insert(index)
    }
    if lengths.last != bytes.count { lengths.append(bytes.count) }
  }

  mutating func sync() {
    for index in dirty { versions[index] = nil }
    dirty = []
    lengths = [bytes.count]
  }

  /// Whether a power loss may leave this.
  func allows(_ found: [UInt8], torn: Bool) -> Bool {
    if !lengths.contains(found.count) { return false }
    for index in 0..<(found.count + 511) / 512 {
      let end = min(index * 512 + 512, found.count)
      let part = Array(found[index * 512..<end])
      let possible = (versions[index] ?? [sector(index)]).map { Array($0[0..<part.count]) }
      if possible.contains(part) { continue }
      if !torn || !isTorn(part, possible) { return false }
    }
    return true
  }

  private func isTorn(_ part: [UInt8], _ possible: [[UInt8]]) -> Bool {
    for old in possible {
      for new in possible {
        var cut = 0
        while cut < part.count, part[cut] == new[cut] { cut += 1 }
        if part[cut...] == old[cut...] { return true }
      }
    }
    return false
  }
}

private struct NaiveRun {
  var random: SplitMix64
  let disk = SimulatedDisk()
  let gate = ScriptedGate()
  var files: SimulatedFileSystem
  var model: [Int: NaiveFile] = [:]
  /// Which file a name leads to, and every one that it may lead to after a power loss (0: none).
  var names: [String: Int] = [:]
  var possible: [String: Set<Int>] = [:]
  var open: [String: any File] = [:]
  var nextFile = 1
  var powerLosses = 0

  init(seed: UInt64) {
    random = SplitMix64(seed: seed)
    files = disk.mount(gate)
  }

  mutating func below(_ bound: Int) -> Int { Int(random.next() % UInt64(bound)) }

  mutating func step() throws {
    let name = "/f\(below(4))"
    switch below(40) {
    case 0..<12: try write(name)
    case 12..<18: try compare(name)
    case 18..<21: try truncate(name)
    case 21..<23: try punch(name)
    case 23..<28: try sync(name)
    case 28: try failSync(name)
    case 29..<32: try rename(name, "/f\(below(4))")
    case 32..<34: try remove(name)
    case 34..<37: try syncDirectory()
    case 37: try restart { $0.processKill() }
    case 38: try allocate(name)
    default: try losePower()
    }
  }

  mutating func handle(_ name: String) throws -> any File {
    if let file = open[name] { return file }
    if names[name] == nil {
      names[name] = nextFile
      possible[name, default: [0]].insert(nextFile)
      model[nextFile] = NaiveFile()
      nextFile += 1
    }
    let file = try files.open(name, .readWriteOrCreate)
    open[name] = file
    return file
  }

  mutating func change(
    _ name: String, _ range: Range<Int>, _ body: (inout [UInt8]) -> Void
  ) {
    if let id = names[name] { model[id]?.change(range, body) }
  }

  mutating func write(_ name: String) throws {
    let file = try handle(name)
    let start = below(below(4) == 0 ? 70_000 : 3_000)
    let count = 1 + below(below(3) == 0 ? 5_000 : 700)
    let value = UInt8(1 + below(255))
    try file.writeFully(bytes(value, count), at: Int64(start))
    change(name, start..<start + count) { contents in
      if contents.count < start + count {
        contents += [UInt8](repeating: 0, count: start + count - contents.count)
      }
      contents.replaceSubrange(start..<start + count, with: bytes(value, count))
    }
  }

  mutating func truncate(_ name: String) throws {
    let file = try handle(name)
    let size = below(4_000)
    try file.truncate(to: Int64(size))
    let former = model[names[name] ?? 0]?.bytes.count ?? 0
    change(name, min(size, former)..<former) { contents in
      if contents.count > size {
        contents.removeLast(contents.count - size)
      } else {
        contents += [UInt8](repeating: 0, count: size - contents.count)
      }
    }
  }

  mutating func punch(_ name: String) throws {
    let file = try handle(name)
    let start = below(3_000)
    let count = 1 + below(10_000)
    try file.punchHole(offset: Int64(start), length: Int64(count))
    let length = model[names[name] ?? 0]?.bytes.count ?? 0
    let end = min(start + count, length)
    if start < end {
      change(name, start..<end) { contents in
        contents.replaceSubrange(start..<end, with: bytes(0, end - start))
      }
    }
  }

  mutating func allocate(_ name: String) throws {
    let file = try handle(name)
    let end = 1 + below(20_000)
    try file.allocate(offset: 0, length: Int64(end))
    change(name, 0..<0) { contents in
      if contents.count < end { contents += [UInt8](repeating: 0, count: end - contents.count) }
    }
  }

  mutating func sync(_ name: String) throws {
    try handle(name).syncData()
    if let id = names[name] { model[id]?.sync() }
  }

  mutating func failSync(_ name: String) throws {
    gate.armed = [.syncFailure]
    let file = try handle(name)
    #expect(throws: PlatformError.self) { try file.syncData() }
    if let id = names[name] { model[id]?.dirty = [] }
  }

  mutating func rename(_ name: String, _ other: String) throws {
    guard let id = names[name], name != other else { return }
    try files.rename(name, to: other)
    open.removeValue(forKey: other)?.close()
    open[other] = open.removeValue(forKey: name)
    possible[name, default: [id]].insert(0)
    possible[other, default: [names[other] ?? 0]].insert(id)
    names[name] = nil
    names[other] = id
  }

  mutating func remove(_ name: String) throws {
    guard let id = names[name] else { return }
    try files.remove(name)
    open.removeValue(forKey: name)?.close()
    possible[name, default: [id]].insert(0)
    names[name] = nil
  }

  mutating func syncDirectory() throws {
    try files.syncDirectory("/")
    possible = [:]
  }

  mutating func restart(_ body: (SimulatedDisk) -> Void) throws {
    body(disk)
    open = [:]
    files = disk.mount(gate)
  }

  mutating func losePower() throws {
    powerLosses += 1
    var allowed = DiskFaults(rawValue: UInt8(below(32)))
    if below(2) == 0 { allowed = .all }
    let choosing = ScriptedGate(seed: random.next())
    try restart { _ = $0.powerLoss(choosing: choosing, allowing: allowed) }
    #expect(!disk.hasPendingChanges)
    var survivors: [String: NaiveFile] = [:]
    for index in 0..<4 {
      let name = "/f\(index)"
      let found = try files.contents(name)
      let candidates = possible[name] ?? [names[name] ?? 0]
      if !allowed.contains(.lostDirectoryEntry) {
        #expect((found == nil) == (names[name] == nil))
      }
      guard let found else {
        #expect(candidates.contains(0), "\(name) vanished")
        continue
      }
      let torn = allowed.contains(.tornWrite)
      let isAllowed = candidates.contains { model[$0]?.allows(found, torn: torn) == true }
      #expect(isAllowed, "\(name) holds what it never could")
      if allowed.isEmpty { #expect(found == model[names[name] ?? 0]?.bytes) }
      var survivor = NaiveFile()
      survivor.bytes = found
      survivor.lengths = [found.count]
      survivors[name] = survivor
    }
    model = [:]
    names = [:]
    possible = [:]
    for (name, file) in survivors {
      names[name] = nextFile
      model[nextFile] = file
      nextFile += 1
    }
  }

  mutating func compare(_ name: String) throws {
    guard let id = names[name], let expected = model[id]?.bytes else {
      #expect(try files.status(name) == nil)
      return
    }
    let start = below(expected.count + 10)
    var target = bytes(99, below(3_000))
    let done = try handle(name).readAvailable(at: Int64(start), into: &target)
    let end = min(expected.count, start + target.count)
    #expect(Array(target[0..<done]) == (start < end ? Array(expected[start..<end]) : []))
  }

  mutating func compareAll() throws {
    #expect(try files.list("/") == names.keys.map { String($0.dropFirst()) }.sorted())
    for (name, id) in names { #expect(try files.contents(name) == model[id]?.bytes) }
  }
}
