public import SimulationKit

/// What `simulate crash-states` asks of a worker process: one line of JSON.
public struct CrashRequest: Codable, Equatable, Sendable {
  /// A run of the catalogue, or the path of a call log.
  public var run: String
  public var isLog: Bool
  public var engine: String?
  public var depth: Int
  public var seed: UInt64
  public var statesOfMoment, moments, imagesCrashed: Int?
  public var only: String?

  public init(run: String, isLog: Bool, engine: String?, options: CrashStatesOptions) {
    self.run = run
    self.isLog = isLog
    self.engine = engine
    depth = options.depth
    seed = options.seed
    statesOfMoment = options.statesOfMoment
    moments = options.moments
    imagesCrashed = options.imagesCrashed
    only = options.only
  }

  public var options: CrashStatesOptions {
    var options = CrashStatesOptions(depth: depth, seed: seed)
    options.statesOfMoment = statesOfMoment
    options.moments = moments
    options.imagesCrashed = imagesCrashed
    options.only = only
    return options
  }
}

/// What a worker answers: one line of JSON, some on the way, the last with the result.
public struct CrashReply: Codable, Equatable, Sendable {
  /// Images recovered since the last reply.
  public var images: Int
  public var result: CrashStatesResult?

  public init(images: Int, result: CrashStatesResult? = nil) {
    self.images = images
    self.result = result
  }
}
