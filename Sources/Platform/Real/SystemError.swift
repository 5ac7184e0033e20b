#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#elseif canImport(Darwin)
  internal import Darwin
#endif

/// From `errno` to `PlatformError`.
enum SystemError {
  /// The calling thread's `errno`. Read it right after the call that failed.
  static var number: Int32 { errno }

  static func make(
    _ number: Int32, _ operation: String, _ path: String, offset: Int64? = nil
  ) -> PlatformError {
    PlatformError(
      code(number), operation: operation, path: path, offset: offset, systemCode: number)
  }

  static func code(_ number: Int32) -> PlatformError.Code {
    switch number {
    case ENOENT: .notFound
    case EEXIST: .alreadyExists
    case EACCES, EPERM, EROFS: .permissionDenied
    case ENOTDIR: .notADirectory
    case EISDIR: .isADirectory
    case ENOTEMPTY: .notEmpty
    case ENOSPC, EDQUOT, EFBIG: .noSpace
    case EIO: .inputOutput
    case EWOULDBLOCK: .locked
    case EINVAL, EBADF, ENAMETOOLONG, ELOOP, EOVERFLOW: .invalidArgument
    case EOPNOTSUPP, ENOSYS: .unsupported
    case EMFILE, ENFILE, ENOMEM, EAGAIN: .resourceExhausted
    default: .other
    }
  }
}
