public import EngineKit
public import Platform

/// An engine with one defect planted on top of another engine: what the checkers are tested with.
public struct WrongEngineFactory: EngineFactory {
  public let name: String
  /// The properties whose checkers are meant to convict it; empty for a control, which nothing may convict.
  public let convictedBy: [String]
  public let base: any EngineFactory
  private let wrap:
    @Sendable (any KeyValueEngine, PlatformServices) throws(EngineError) -> any KeyValueEngine

  /// What the base can do and this cannot: a defect may be meant for one client.
  var lacking: EngineCapabilities = []
  public var capabilities: EngineCapabilities { base.capabilities.subtracting(lacking) }
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

  /// Its name is the defect's, followed by "-" and the base's unless that is the reference engine.
  public init(
    _ defect: String, over base: any EngineFactory, convictedBy: [String],
    _ wrap:
      @escaping @Sendable (any KeyValueEngine) throws(EngineError) -> any KeyValueEngine
  ) {
    self.init(defect, over: base, convictedBy: convictedBy) { engine, _ throws(EngineError) in
      try wrap(engine)
    }
  }

  /// The same for a defect that needs threads or time.
  public init(
    _ defect: String, over base: any EngineFactory, convictedBy: [String],
    _ wrap:
      @escaping @Sendable (any KeyValueEngine, PlatformServices) throws(EngineError)
      -> any KeyValueEngine
  ) {
    name = base is ReferenceEngineFactory ? defect : "\(defect)-\(base.name)"
    self.convictedBy = convictedBy
    self.base = base
    self.wrap = wrap
  }

  public func open(
    _ directory: String, on platform: PlatformServices, settings: EngineSettings
  ) throws(EngineError) -> any KeyValueEngine {
    try wrap(try base.open(directory, on: platform, settings: settings), platform)
  }
}
