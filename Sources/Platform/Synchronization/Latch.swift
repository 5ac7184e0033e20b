/// A door that opens once and stays open: for "has started", "has ended", "is closed".
public final class Latch: Sendable {
  private let opened = AtomicWord(0)
  private let queue: WaitQueue

  public init(threads: any Threads, clock: any Clock) {
    self.queue = WaitQueue(threads: threads, clock: clock)
  }

  public var isOpen: Bool { opened.load() != 0 }

  /// Opens the door and wakes all that wait at it. Opening twice is harmless.
  public func open() {
    opened.store(1)
    queue.signalAll()
  }

  /// Waits until the door is open (true) or the deadline has passed (false). Throws only `.killed`.
  @discardableResult
  public func wait(until deadline: Instant? = nil) throws(PlatformError) -> Bool {
    try queue.wait(until: deadline) { () throws(PlatformError) -> Bool in !isOpen }
  }
}
