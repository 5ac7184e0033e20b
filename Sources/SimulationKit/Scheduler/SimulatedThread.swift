/// One thread of a simulated process: a fibre, and what it waits for. Only `Scheduler` changes it,
/// and says why the fibre is safe to use.
@safe
public final class SimulatedThread {
  enum State: Equatable {
    case runnable
    case running
    case parked
    case sleeping
    case joining(UInt64)
    /// Stopped on purpose: runs again only to unwind after its process was killed.
    case stopped
    case ended
    /// Did not unwind after its process was killed; never runs again.
    case abandoned
  }

  /// Never used twice in one simulation. From 1; 0 stands for the world outside.
  public let id: UInt64
  public let name: String
  /// Its `ThreadSlot`, in 0..<64: held by no other living thread.
  let slot: Int32

  unowned let scheduler: Scheduler
  var fibre: OpaquePointer?
  /// What it runs; taken at its first switch.
  var body: (() -> Void)?
  var state = State.runnable
  var hasPermit = false
  /// While it waits: the virtual time that ends the waiting; `.max` for none.
  var deadline = UInt64.max
  /// Seam calls that it made since its process was killed.
  var callsSinceKill = 0
  /// Stop it for good after so many of its next calls; 0: never.
  var stopsAfter: UInt64 = 0
  /// The last fault point or probe that it came by, for a report.
  private(set) var place: StaticString = "its start"
  /// The call at which it began to wait as it does, or did last.
  var waitsSince: UInt64 = 0
  /// The call at which it first gave way of its own will since it came by `place`; 0: it did not.
  var backsOffSince: UInt64 = 0
  /// The lock that it waits for, by address; 0: none.
  var awaitedLock: UInt = 0

  init(id: UInt64, name: String, slot: Int32, scheduler: Scheduler, body: @escaping () -> Void) {
    self.id = id
    self.name = name
    self.slot = slot
    self.scheduler = scheduler
    self.body = body
  }

  /// It has given way in a back-off, and not run since.
  var isBackingOff = false

  /// It comes by a named place.
  @inline(__always)
  func arrive(at name: StaticString) {
    place = name
    backsOffSince = 0
  }

  var isWaiting: Bool {
    switch state {
    case .parked, .sleeping, .joining, .stopped: true
    case .runnable, .running, .ended, .abandoned: false
    }
  }
}
