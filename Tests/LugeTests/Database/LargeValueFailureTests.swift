import Platform
import Testing

@testable import Luge

/// Large values on disks that fail, in files that are damaged, beyond limits.
@Suite struct LargeValueFailureTests {
  private typealias Large = LargeValueTests

  private func code(_ body: () throws -> Void) -> LugeError.Code? {
    PageStoreFixture.code(body)
  }

  private func hooked() -> (HookedFileSystem, PlatformServices) {
    var platform = PlatformServices.inMemory()
    let files = HookedFileSystem(platform.files)
    platform.files = files
    return (files, platform)
  }

  @Test func limitsAreOneClearErrorEach() throws {
    let configuration = Large.configuration()
    let database = try Large.open(.inMemory(), configuration)
    let tree = database.defaultTree
    let most = configuration.largestValue
    #expect(most == 64 << 20)
    var small = configuration
    small.memoryBudget = configuration.leastMemoryBudget
    let least = try Large.open(.inMemory(), small)
    let longest = small.memoryBudget / 4
    #expect(small.largestValue == longest)
    try least.defaultTree.setValue(Large.value(1, longest), forKey: [1])
    let long = Large.value(2, longest + 1)
    #expect(code { try least.defaultTree.setValue(long, forKey: [2]) } == .tooLarge)
    #expect(code { _ = try least.defaultTree.updateValue(long, forKey: [2]) } == .tooLarge)
    var batch = WriteBatch()
    for number in 0..<20 {
      batch.updateValue(
        Large.value(1, longest / 16), forKey: [UInt8(number)], in: least.defaultTree)
    }
    #expect(code { try least.apply(batch) } == .tooLarge)
    #expect(try least.defaultTree.count() == 1)
    #expect(try least.defaultTree.value(forKey: [1]) == Large.value(1, longest))
    #expect(try least.verify().problems == [])
    try least.close()
    #expect(
      code { try tree.setValue([0], forKey: [UInt8](repeating: 1, count: 65_536)) } == .tooLarge)
    try database.close()
  }

  /// A value is durable before the commit that names it is written.
  @Test func valuesAreSyncedBeforeTheRedoThatNamesThem() throws {
    let (files, platform) = hooked()
    let database = try Large.open(platform)
    for length in [300, 10_000, 100_000] {
      try database.defaultTree.setValue(Large.value(length, length), forKey: [UInt8(length % 251)])
      _ = files.takeCalls()
      try database.flush()
      let calls = files.takeCalls()
      let sync = calls.firstIndex { $0.operation.hasPrefix("sync") && $0.path.contains("value-") }
      let write = calls.firstIndex { $0.operation == "write" && $0.path.contains("redo-") }
      #expect(sync != nil && write != nil)
      if let sync, let write { #expect(sync < write) }
    }
    try database.close()
  }

  @Test func aFullDiskRefusesAValueAndLosesNothing() throws {
    let (files, platform) = hooked()
    let database = try Large.open(platform)
    let tree = database.defaultTree
    var model: [Int: [UInt8]] = [1: Large.value(1, 50_000), 2: Large.value(2, 600)]
    for (number, value) in model { try tree.setValue(value, forKey: Large.key(number)) }
    files.setHook { $0.operation == "write" && $0.path.contains("value-") ? .noSpace : nil }
    #expect(code { try tree.setValue(Large.value(3, 60_000), forKey: Large.key(1)) } == .noSpace)
    // One that fits into the buffers is taken, and its flush refused.
    try tree.setValue(Large.value(4, 700), forKey: Large.key(4))
    model[4] = Large.value(4, 700)
    #expect(code { try database.flush() } == .noSpace)
    files.setHook(nil)
    try Large.check(database, model)
    try database.flush()
    try database.checkpoint()
    try Large.check(database, model)
    try database.close()
    let again = try Large.open(platform)
    try Large.check(again, model)
    try again.close()
  }

  @Test func aFailedSyncOfValuesIsFinal() throws {
    let (files, platform) = hooked()
    let database = try Large.open(platform)
    try database.defaultTree.setValue(Large.value(1, 5000), forKey: [1])
    files.setHook {
      $0.operation.hasPrefix("sync") && $0.path.contains("value-") ? .inputOutput : nil
    }
    #expect(code { try database.flush() } != nil)
    files.setHook(nil)
    #expect(code { try database.flush() } == .failed)
    #expect(code { try database.defaultTree.setValue([1], forKey: [2]) } == .failed)
    #expect(code { try database.close() } == .failed)
  }

  private func damage(
    _ platform: PlatformServices, _ body: (inout [(name: String, bytes: [UInt8])]) -> Void
  ) throws -> PlatformServices {
    var contents = try TestFiles.contents(platform.files)
    body(&contents)
    return try TestFiles.world(contents)
  }

  @Test func aRottenValueIsReportedAndCanBeReplaced() throws {
    let platform = PlatformServices.inMemory()
    let database = try Large.open(platform)
    for number in 0..<8 {
      try database.defaultTree.setValue(Large.value(number, 3000), forKey: Large.key(number))
    }
    try database.close()
    let needle = Array(Large.value(5, 3000)[1000..<1016])
    let world = try damage(platform) { contents in
      for index in contents.indices where contents[index].name.hasPrefix("value-") {
        for start in 0..<max(0, contents[index].bytes.count - 16)
        where Array(contents[index].bytes[start..<start + 16]) == needle {
          contents[index].bytes[start] ^= 4
        }
      }
    }
    let again = try Large.open(world)
    let tree = again.defaultTree
    #expect(code { _ = try tree.value(forKey: Large.key(5)) } == .corruption)
    #expect(code { _ = try tree.view(forKey: Large.key(5)) } == .corruption)
    #expect(code { _ = try tree.entries() } == .corruption)
    #expect(code { _ = try tree.updateValue([1], forKey: Large.key(5)) } == .corruption)
    #expect(try tree.keys().count == 8)
    #expect(try tree.contains(Large.key(5)))
    #expect(try tree.value(forKey: Large.key(4)) == Large.value(4, 3000))
    #expect(try again.verify().problems.count == 1)
    // What does not ask for the bytes goes on.
    try tree.setValue([7], forKey: Large.key(5))
    #expect(try tree.value(forKey: Large.key(5)) == [7])
    #expect(try again.verify().problems == [])
    try again.close()
  }

  /// The values of a log that recovery replays: a missing segment is damage, and no empty value.
  @Test func aMissingValueSegmentIsDamage() throws {
    let platform = PlatformServices.inMemory()
    let database = try Large.open(platform)
    try database.defaultTree.setValue(Large.value(1, 100_000), forKey: [1])
    try database.flush()
    let replayed = try damage(platform) { $0.removeAll { $0.name.hasPrefix("value-") } }
    #expect(code { _ = try Large.open(replayed) } == .corruption)
    let cut = try damage(platform) { contents in
      for index in contents.indices where contents[index].name.hasPrefix("value-") {
        contents[index].bytes.removeLast(5000)
      }
    }
    #expect(code { _ = try Large.open(cut) } == .corruption)
    try database.close()
    let named = try damage(platform) { $0.removeAll { $0.name.hasPrefix("value-") } }
    #expect(code { _ = try Large.open(named) } == .corruption)
  }

  @Test func aRottenLargeCommitIsDamage() throws {
    let platform = PlatformServices.inMemory()
    let database = try Large.open(platform)
    var batch = WriteBatch()
    for number in 0..<2000 {
      batch.updateValue(
        [UInt8](repeating: 0xA7, count: 100), forKey: Large.key(number), in: database.defaultTree)
    }
    try database.apply(batch)
    try database.flush()
    let rotten = try damage(platform) { contents in
      for index in contents.indices where contents[index].name.hasPrefix("value-") {
        contents[index].bytes[100_000] ^= 1
      }
    }
    #expect(code { _ = try Large.open(rotten) } == .corruption)
    try database.close()
  }

  /// A value that died is needed as long as recovery would replay the commit that names it.
  @Test func aDeadValueStaysWhileRedoNamesIt() throws {
    let platform = PlatformServices.inMemory()
    let database = try Large.open(platform)
    let tree = database.defaultTree
    // Segments of their own: dead as soon as they are replaced.
    for round in 0..<10 {
      try tree.setValue(Large.value(round, 40_000), forKey: [1])
      try database.flush()
      // Whenever the process dies, the log can be replayed.
      let again = try Large.open(try Large.killed(platform))
      #expect(try again.defaultTree.value(forKey: [1]) == Large.value(round, 40_000))
      if round == 5 { try database.checkpoint() }
      try database.core.context.drainReleased()
      try database.core.context.values.reclaim()
    }
    try database.close()
  }
}
