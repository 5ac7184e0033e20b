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

extension PlatformServices {
  /// The operating system.
  public static var real: PlatformServices {
    PlatformServices(
      files: RealFileSystem(), clock: RealClock(), threads: RealThreads(), entropy: RealEntropy())
  }

  /// Files in memory, gone with the value; real time, threads and random bits. For tests, and for
  /// databases that need not outlive the process.
  public static func inMemory() -> PlatformServices {
    PlatformServices(
      files: InMemoryFileSystem(), clock: RealClock(), threads: RealThreads(),
      entropy: RealEntropy())
  }
}
