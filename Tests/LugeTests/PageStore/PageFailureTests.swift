import Platform
import Synchronization
import Testing

@testable import Luge

@Suite struct PageFailureTests {
  private func code(_ body: () throws -> Void) -> LugeError.Code? {
    PageStoreFixture.code(body)
  }

  @Test(arguments: ["write", "create"], [PlatformError.Code.noSpace, .inputOutput])
  func aFailedWriteLosesNothing(operation: String, failure: PlatformError.Code) throws {
    let (files, platform) = try PageStoreFixture.hooked()
    let store = try PageStoreFixture.open(platform, bufferBytes: 4000)
    let kept = try store.append(.leaf, [1, 2, 3])
    try store.sync()
    files.setHook { $0.operation == operation ? failure : nil }
    var parts: [PagePart] = []
    let expected = LugeError(
      PlatformError(failure, operation: "", path: ""), doing: ""
    ).code
    // Buffers take some; then appends are refused, and nothing that was taken is lost.
    var refused = 0
    while refused < 3 {
      let payload = [UInt8](repeating: UInt8(parts.count), count: 1500)
      do { parts.append(try store.append(.leaf, payload)) } catch {
        #expect(error.code == expected)
        refused += 1
      }
    }
    #expect(parts.count >= 4)
    #expect(code { try store.sync() } == expected)
    func check(_ store: PageStore) throws {
      #expect(try store.read(kept, .leaf).payload == [1, 2, 3])
      for (index, part) in parts.enumerated() {
        let payload = [UInt8](repeating: UInt8(index), count: 1500)
        #expect(try store.read(part, .leaf).payload == payload)
      }
    }
    try check(store)
    files.setHook(nil)
    parts.append(try store.append(.leaf, [UInt8](repeating: UInt8(parts.count), count: 1500)))
    try store.sync()
    try check(store)
    try check(try PageStoreFixture.open(platform))
  }

  @Test func aWriteThatDidSomethingBeforeItFailedIsDoneAgain() throws {
    let (files, platform) = try PageStoreFixture.hooked()
    let store = try PageStoreFixture.open(platform)
    let part = try store.append(.leaf, [UInt8](repeating: 9, count: 9000))
    // The file is made, its name is taken, and then nothing works.
    let failing = Mutex(true)
    files.setHook { $0.operation == "write" && failing.withLock { $0 } ? .inputOutput : nil }
    #expect(code { try store.sync() } == .inputOutput)
    #expect(code { try store.sync() } == .inputOutput)
    failing.withLock { $0 = false }
    try store.sync()
    #expect(files.takeCalls().filter { $0.operation == "create" }.count == 1)
    let other = try PageStoreFixture.open(platform)
    #expect(try other.read(part, .leaf).payload == [UInt8](repeating: 9, count: 9000))
  }

  @Test(arguments: ["sync", "syncDirectory"])
  func aFailedSyncIsFinal(operation: String) throws {
    let (files, platform) = try PageStoreFixture.hooked()
    let store = try PageStoreFixture.open(platform)
    let part = try store.append(.leaf, [1])
    files.setHook { $0.operation == operation ? .inputOutput : nil }
    #expect(code { try store.sync() } == .inputOutput)
    files.setHook(nil)
    #expect(store.hasFailed)
    #expect(code { try store.sync() } == .failed)
    #expect(code { _ = try store.append(.leaf, [2]) } == .failed)
    #expect(try store.read(part, .leaf).payload == [1])
    // Damage may be what the failed sync lost: it is not called damage of the file.
    let path = store.path(part.address.serial)
    var bytes = try TestFiles.read(files, path)
    bytes[part.address.offset + 24] ^= 1
    try TestFiles.write(files.inner, path, bytes)
    #expect(code { _ = try store.read(part, .leaf) } == .failed)
  }
}
