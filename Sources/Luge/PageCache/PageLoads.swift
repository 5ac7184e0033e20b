internal import Platform

/// Where threads wait for a page that another thread reads.
///
/// Nobody keeps a reference to the page meanwhile: a ticket is the number of loads that had ended
/// when the page was seen loading, and it is good as soon as one more has. Then the waiter looks
/// again, from the root.
///
/// Invariant: who ends a load has changed the page's word before it counts.
final class PageLoads: Sendable {
  struct Ticket {
    fileprivate let stripe: Int
    fileprivate let ended: UInt64
  }

  /// A few, so that an end wakes few who wait for another.
  private static let stripes = 8

  private let ended: [Stripe]

  private final class Stripe: Sendable {
    let count = AtomicWord(0)
    let queue: WaitQueue
    init(_ platform: PlatformServices) {
      queue = WaitQueue(threads: platform.threads, clock: platform.clock)
    }
  }

  init(_ platform: PlatformServices) {
    ended = (0..<PageLoads.stripes).map { _ in Stripe(platform) }
  }

  /// Which stripe a page belongs to, by its low key.
  static func stripe(_ low: ByteView) -> Int { Int(low.hash16) % stripes }

  /// Taken before the page's word is loaded.
  func ticket(_ stripe: Int) -> Ticket {
    Ticket(stripe: stripe, ended: ended[stripe].count.loadSequential())
  }

  /// Waits until a load has ended since the ticket was taken. Unpinned. Throws only `.killed`.
  func wait(_ ticket: Ticket) throws(LugeError) {
    let stripe = ended[ticket.stripe]
    do throws(PlatformError) {
      try stripe.queue.wait { () throws(PlatformError) -> Bool in
        stripe.count.load() == ticket.ended
      }
    } catch { throw LugeError(error, doing: "waiting for a page") }
  }

  func ended(_ stripe: Int) {
    _ = ended[stripe].count.fetchAdd(1)
    ended[stripe].queue.signalAll()
  }
}
