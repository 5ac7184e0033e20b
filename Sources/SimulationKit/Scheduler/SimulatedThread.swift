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
  var place: StaticString = "its start" { didSet { backOffs = 0 } }

  /// What it parks for, where it has said so.
  struct Awaited {
    var what: StaticString
    /// A thread's id; 0: nobody's.
    var heldBy: UInt64
  }
  var awaits: Awaited?
  /// While it waits, or gives way again and again: the seam call at which that began.
  var since: UInt64 = 0
  /// How often it has given way in this waiting loop: since it came by a place, or waited.
  var backOffs: UInt64 = 0

  init(id: UInt64, name: String, slot: Int32, scheduler: Scheduler, body: @escaping () -> Void) {
    self.id = id
    self.name = name
    self.slot = slot
    self.scheduler = scheduler
    self.body = body
  }

  /// It has given way in a back-off, and not run since.
  var isBackingOff = false

  var isWaiting: Bool {
    switch state {
    case .parked, .sleeping, .joining, .stopped: true
    case .runnable, .running, .ended, .abandoned: false
    }
  }

  /// For a report: "writer (t3) waits for a lock that t2 holds, since call 70, after log.seal".
  var situation: String {
    var what =
      switch state {
      case .running,
        .runnable where backOffs > 0:
        "has given way \(backOffs) times"
      case .runnable: "could run"
      case .running: "is running"
      case .parked: parkedFor
      case .sleeping: "sleeps"
      case .joining(let target): "waits for t\(target) to end"
      case .stopped: "was stopped"
      case .ended: "has ended"
      case .abandoned: "was abandoned"
      }
    if isWaiting || backOffs > 0 { what += ", since call \(since)" }
    return "\(name) (t\(id)) \(what), after \(place)"
  }

  private var parkedFor: String {
    guard let awaits else { return "is parked" }
    return "waits for \(awaits.what)"
      + (awaits.heldBy == 0 ? "" : " that t\(awaits.heldBy) holds")
  }
}
