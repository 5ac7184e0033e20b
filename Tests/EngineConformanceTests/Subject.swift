import EngineAdapters
import EngineKit
import Platform

/// An engine under test. `Subject.all` is every correct engine of the registry.
struct Subject: Sendable, CustomStringConvertible {
  let factory: any EngineFactory
  var description: String { factory.name }

  static let all = EngineRegistry.correct.map { Subject(factory: $0) }

  /// The engines that have these capabilities; tests of a missing one are skipped.
  static func having(_ needed: EngineCapabilities) -> [Subject] {
    all.filter { $0.factory.capabilities.isSuperset(of: needed) }
  }

  /// A world for one test. Engines that do their I/O elsewhere than through the platform need real files.
  var platform: PlatformServices {
    factory.capabilities.contains(.simulatable) ? .inMemory() : .real
  }

  /// Where the test's database lies.
  func directory(_ platform: PlatformServices) -> String {
    factory.capabilities.contains(.simulatable)
      ? "/database" : "/tmp/luge-conformance-\(String(platform.entropy.next(), radix: 36))"
  }

  /// A tree beside the default one, where there are any.
  var tree: TreeName { factory.capabilities.contains(.namedTrees) ? "other" : .default }

  /// Runs a test against a new database, which is gone afterwards.
  func withDatabase(_ body: (Database) throws -> Void) throws {
    let platform = platform
    let database = Database(
      factory: factory, platform: platform, directory: directory(platform))
    defer { database.erase() }
    try body(database)
  }

  /// The same with the database open.
  func withEngine(_ body: (any KeyValueEngine) throws -> Void) throws {
    try withDatabase { database throws in
      let engine = try database.open()
      try body(engine)
      try engine.close()
    }
  }
}

/// A database that a test may open, close and open again.
struct Database {
  let factory: any EngineFactory
  let platform: PlatformServices
  let directory: String

  func open() throws -> any KeyValueEngine {
    try factory.open(directory, on: platform, settings: EngineSettings())
  }

  func erase() { Self.erase(directory, platform.files) }

  private static func erase(_ path: String, _ files: any FileSystem) {
    guard let status = try? files.status(path) else { return }
    if status.isDirectory {
      for name in (try? files.list(path)) ?? [] { erase(path + "/" + name, files) }
      try? files.removeDirectory(path)
    } else {
      try? files.remove(path)
    }
  }
}

func bytes(_ text: String) -> Bytes { Array(text.utf8) }

extension KeyValueEngine {
  func put(_ key: String, _ value: String, in tree: TreeName = .default) throws {
    _ = try insert(bytes(value), for: bytes(key), in: tree)
  }
  func text(_ key: String, in tree: TreeName = .default) throws -> String? {
    try get(bytes(key), in: tree).map { String(decoding: $0, as: UTF8.self) }
  }
  /// The keys of a scan, as text.
  func keys(
    _ range: KeyRange = .all, _ direction: Direction = .forward, limit: Int = .max,
    in tree: TreeName = .default
  ) throws -> [String] {
    try scan(range, direction, limit: limit, in: tree)
      .map { String(decoding: $0.key, as: UTF8.self) }
  }
}

/// What an engine threw; nil when it threw nothing.
func failure(_ body: () throws -> Void) -> EngineError.Code? {
  do { try body() } catch let error as EngineError { return error.code } catch { return .other }
  return nil
}
