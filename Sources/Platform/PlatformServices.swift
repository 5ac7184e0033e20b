/// Everything an engine may ask of the world, in one value. Whoever opens a database chooses it:
/// the real system, an in-memory world for tests, or a simulation.
public struct PlatformServices: Sendable {
  public var files: any FileSystem
  public var clock: any Clock
  public var threads: any Threads
  public var entropy: any Entropy

  public init(
    files: any FileSystem, clock: any Clock, threads: any Threads, entropy: any Entropy
  ) {
    self.files = files
    self.clock = clock
    self.threads = threads
    self.entropy = entropy
  }
}
