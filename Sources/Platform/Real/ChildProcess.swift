internal import CPlatform

#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#elseif canImport(Darwin)
  internal import Darwin
#endif

/// A program that this one has started, with a pipe on which it reports. What it has written is read here even
/// when it was killed in the meantime: the pipe is the reader's.
///
/// For one thread at a time. Read until the end, then `wait`.
///
/// Safe: the kernel reads and writes at most the bytes of the buffers that are handed to it, during the call.
public final class ChildProcess {
  /// How it ended.
  public enum End: Equatable, Sendable {
    case exit(Int32)
    case signal(Int32)
  }

  public let number: Int64
  private let reports: Int32
  private var end: End?

  /// Starts a program. Its output and errors go to the file `log`, which is emptied before. It has this
  /// process's environment.
  public init(
    _ program: String, _ arguments: [String], log: String
  ) throws(PlatformError) {
    var ends: [Int32] = [-1, -1]
    if unsafe platform_report_pipe(&ends) != 0 {
      throw SystemError.make(SystemError.number, "pipe", program)
    }
    reports = ends[0]
    var copies: [UnsafeMutablePointer<CChar>?] = unsafe ([program] + arguments).map {
      unsafe strdup($0)
    }
    unsafe copies.append(nil)
    number = unsafe platform_spawn(program, copies, ends[1], log)
    let error = SystemError.number
    var place = 0
    while unsafe place < copies.count {
      unsafe free(copies[place])
      place += 1
    }
    // From here on the child alone can write.
    _ = close(ends[1])
    if number < 0 {
      _ = close(ends[0])
      throw SystemError.make(error, "posix_spawn", program)
    }
  }

  deinit { _ = close(reports) }

  /// What has come until now, appended to `bytes`, as soon as there is something. False at the end: the
  /// child is gone, or has closed its side. Nil where nothing came before the deadline.
  public func read(
    into bytes: inout [UInt8], until deadline: Instant
  ) throws(PlatformError) -> Bool? {
    while true {
      let now = RealClock().now()
      // Rounded up, so that nobody asks again and again for less than a millisecond.
      let rest = deadline > now ? (deadline.nanoseconds - now.nanoseconds + 999_999) / 1_000_000 : 0
      var ask = pollfd(fd: reports, events: Int16(POLLIN), revents: 0)
      let ready = unsafe poll(&ask, 1, Int32(min(rest, 1_000_000)))
      if ready == 0 {
        if RealClock().now() >= deadline { return nil }
        continue
      }
      if ready < 0 {
        if SystemError.number == EINTR { continue }
        throw SystemError.make(SystemError.number, "poll", "reports")
      }
      return try take(into: &bytes)
    }
  }

  private func take(into bytes: inout [UInt8]) throws(PlatformError) -> Bool {
    let room = 64 << 10
    let former = bytes.count
    bytes.append(contentsOf: repeatElement(0, count: room))
    while true {
      let descriptor = reports
      let count = unsafe bytes.withUnsafeMutableBytes {
        unsafe Self.system(descriptor, UnsafeMutableRawBufferPointer(rebasing: $0[former...]))
      }
      if count < 0, SystemError.number == EINTR { continue }
      bytes.removeLast(room - max(0, count))
      if count < 0 { throw SystemError.make(SystemError.number, "read", "reports") }
      return count > 0
    }
  }

  private static func system(
    _ descriptor: Int32, _ buffer: UnsafeMutableRawBufferPointer
  ) -> Int {
    #if canImport(Glibc)
      unsafe Glibc.read(descriptor, buffer.baseAddress, buffer.count)
    #elseif canImport(Musl)
      unsafe Musl.read(descriptor, buffer.baseAddress, buffer.count)
    #elseif canImport(Darwin)
      unsafe Darwin.read(descriptor, buffer.baseAddress, buffer.count)
    #endif
  }

  /// SIGKILL: nothing that the child could do about it.
  public func kill() {
    // Until it was waited for the number is its own, so nobody else is met.
    if end != nil { return }
    #if canImport(Glibc)
      _ = Glibc.kill(pid_t(number), SIGKILL)
    #elseif canImport(Musl)
      _ = Musl.kill(pid_t(number), SIGKILL)
    #elseif canImport(Darwin)
      _ = Darwin.kill(pid_t(number), SIGKILL)
    #endif
  }

  /// Waits for its end. Its locks are free then.
  public func wait() throws(PlatformError) -> End {
    if let end { return end }
    var code: Int32 = 0
    if unsafe platform_wait(number, &code) != 0 {
      throw SystemError.make(SystemError.number, "waitpid", "\(number)")
    }
    let found: End = code < 0 ? .signal(-code) : .exit(code)
    end = found
    return found
  }
}

/// The side of a program that `ChildProcess` has started.
public enum ParentProcess {
  /// Ends this process when the one that started it has ended, where the system can.
  public static func endWithIt() { platform_end_with_parent() }

  /// Reports. What is not longer than 4096 bytes arrives in one piece, whoever else reports at the same
  /// time.
  public static func report(_ bytes: [UInt8]) throws(PlatformError) {
    try ThisProcess.write(bytes, to: PLATFORM_REPORT_DESCRIPTOR)
  }
}

/// What a program may ask of the process that it is.
public enum ThisProcess {
  /// Processor time of this process and of those that it has waited for, in nanoseconds.
  public static var processorTime: UInt64 { platform_processor_time() }

  /// Sets a variable of the environment, for programs that are started from now on.
  public static func set(_ variable: String, to value: String) {
    // Both strings are copied by the call.
    _ = unsafe setenv(variable, value, 1)
  }

  public static var number: Int64 { Int64(getpid()) }

  /// To standard error; where that is gone, to nobody.
  public static func writeError(_ text: String) {
    do throws(PlatformError) { try write(Array(text.utf8), to: 2) } catch {}
  }

  fileprivate static func write(_ bytes: [UInt8], to descriptor: Int32) throws(PlatformError) {
    var done = 0
    while done < bytes.count {
      // The kernel reads what is left of the array, which lives longer.
      let count = unsafe bytes.withUnsafeBytes {
        unsafe system(descriptor, UnsafeRawBufferPointer(rebasing: $0[done...]))
      }
      if count >= 0 {
        done += count
      } else if SystemError.number != EINTR {
        throw SystemError.make(SystemError.number, "write", "\(descriptor)")
      }
    }
  }

  private static func system(_ descriptor: Int32, _ bytes: UnsafeRawBufferPointer) -> Int {
    #if canImport(Glibc)
      unsafe Glibc.write(descriptor, bytes.baseAddress, bytes.count)
    #elseif canImport(Musl)
      unsafe Musl.write(descriptor, bytes.baseAddress, bytes.count)
    #elseif canImport(Darwin)
      unsafe Darwin.write(descriptor, bytes.baseAddress, bytes.count)
    #endif
  }

  /// Ends the process.
  public static func exit(_ code: Int32) -> Never {
    #if canImport(Glibc)
      Glibc.exit(code)
    #elseif canImport(Musl)
      Musl.exit(code)
    #elseif canImport(Darwin)
      Darwin.exit(code)
    #endif
  }
}
