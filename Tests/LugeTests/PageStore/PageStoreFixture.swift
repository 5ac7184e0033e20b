import Platform

@testable import Luge

/// Page stores with tiny segments, for tests.
enum PageStoreFixture {
  static let segmentBytes = 32 << 10

  static func open(
    _ platform: PlatformServices, nextSerial: UInt64 = 1, bufferBytes: Int = 256 << 10
  ) throws -> PageStore {
    try PageStore(
      platform: platform, directory: "/db", segmentBytes: segmentBytes, nextSerial: nextSerial,
      bufferBytes: bufferBytes)
  }

  static func code(_ body: () throws -> Void) -> LugeError.Code? {
    do { try body() } catch { return (error as? LugeError)?.code }
    return nil
  }

  /// A world whose calls can be counted and made to fail.
  static func hooked() throws -> (HookedFileSystem, PlatformServices) {
    let files = HookedFileSystem(try TestFiles.world([]).files)
    var platform = PlatformServices.inMemory()
    platform.files = files
    return (files, platform)
  }
}
