public import EngineKit
public import Platform
public import SimulationKit

/// Another engine, over a file system that swallows some of its syncs or removals: as if its author had
/// forgotten them. So a conviction passes through the engine's own recovery.
public struct SwallowingEngineFactory: EngineFactory {
  public let name: String
  /// The properties that convict it.
  public let convictedBy: [String]
  public let base: any EngineFactory
  private let swallowing: SwallowingFileSystem.Calls
  private let part: String

  public var capabilities: EngineCapabilities { base.capabilities }
  public var faultContract: FaultContract { base.faultContract }
  public var faultPoints: [String] { base.faultPoints }
  public var probes: [String] { base.probes }

  public func spaceKept(_ settings: EngineSettings) -> Int? { base.spaceKept(settings) }
  public func storageRules(for directory: String) -> [any StorageRule] {
    base.storageRules(for: directory)
  }
  public var storageKinds: [String] { base.storageKinds }
  public func storageRegions(
    of directory: String, on platform: PlatformServices
  ) throws(EngineError) -> [StorageRegion]? {
    try base.storageRegions(of: directory, on: platform)
  }

  /// Swallows calls of these kinds, on paths that have `part` in them (empty: on all).
  public init(
    _ name: String, over base: any EngineFactory, swallowing: SwallowingFileSystem.Calls,
    onPathsWith part: String = "",
    convictedBy: [String] = ["durability", "prefix-durability", "error-contract", "storage-order"]
  ) {
    self.convictedBy = convictedBy
    self.name = name
    self.base = base
    self.swallowing = swallowing
    self.part = part
  }

  public func open(
    _ directory: String, on platform: PlatformServices, settings: EngineSettings
  ) throws(EngineError) -> any KeyValueEngine {
    var careless = platform
    careless.files = SwallowingFileSystem(
      platform.files, swallowing: swallowing, onPathsWith: part)
    return try base.open(directory, on: careless, settings: settings)
  }
}
