public import EngineKit
public import Platform
public import SimulationKit

/// Another engine, over a file system that swallows some of its syncs: as if its author had
/// forgotten them. So a conviction passes through the engine's own recovery.
public struct SwallowingEngineFactory: EngineFactory {
  public let name: String
  public let convictedBy = ["durability", "prefix-durability", "error-contract"]
  public let base: any EngineFactory
  private let swallowing: SwallowingFileSystem.Calls
  private let suffix: String

  public var capabilities: EngineCapabilities { base.capabilities }
  public var faultContract: FaultContract { base.faultContract }
  public var faultPoints: [String] { base.faultPoints }
  public var probes: [String] { base.probes }

  /// Swallows calls of these kinds, on paths that end in `suffix` (empty: on all).
  public init(
    _ name: String, over base: any EngineFactory, swallowing: SwallowingFileSystem.Calls,
    onPathsEndingIn suffix: String = ""
  ) {
    self.name = name
    self.base = base
    self.swallowing = swallowing
    self.suffix = suffix
  }

  public func open(
    _ directory: String, on platform: PlatformServices, settings: EngineSettings
  ) throws(EngineError) -> any KeyValueEngine {
    var careless = platform
    careless.files = SwallowingFileSystem(
      platform.files, swallowing: swallowing, onPathsEndingIn: suffix)
    return try base.open(directory, on: careless, settings: settings)
  }
}
