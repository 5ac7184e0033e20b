/// An advisory lock that lasts as long as one opening of its file. The file itself stays: removing
/// it would let a third owner lock a new file of the same name while the second holds the old one.
final class RealFileLock: FileLock {
  private let descriptor: Descriptor

  init(_ descriptor: Descriptor) { self.descriptor = descriptor }

  func release() { descriptor.close() }
}
