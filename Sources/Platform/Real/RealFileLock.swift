#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#elseif canImport(Darwin)
  internal import Darwin
#endif

/// An advisory lock that lasts as long as one opening of its file. The file itself stays: removing
/// it would let a third owner lock a new file of the same name while the second holds the old one.
final class RealFileLock: FileLock {
  private let descriptor: Descriptor
  /// A process that is forked from this one has no say in the lock.
  private let process = getpid()

  init(_ descriptor: Descriptor) { self.descriptor = descriptor }

  /// To close the descriptor is not enough: a process that was forked meanwhile has it too, until it runs another
  /// program or ends, and would keep the lock as long.
  func release() {
    if process == getpid() {
      _ = try? descriptor.use("flock", "") { number in flock(number, LOCK_UN) }
    }
    descriptor.close()
  }
}
