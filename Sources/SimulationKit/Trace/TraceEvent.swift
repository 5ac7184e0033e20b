/// One event of a run: a seam call with its arguments and result, a thread switch, a step of the
/// clock, an operation with its outcome. What the three words mean is the event's own business.
public struct TraceEvent: Equatable, Sendable, CustomStringConvertible {
  public var name: StaticString
  /// The raw id of the simulated thread; 0 outside of a simulated process.
  public var thread: UInt64
  public var a: UInt64
  public var b: UInt64
  public var c: UInt64

  public static func == (left: TraceEvent, right: TraceEvent) -> Bool {
    left.thread == right.thread && left.a == right.a && left.b == right.b && left.c == right.c
      && left.name.description == right.name.description
  }

  public var description: String { "t\(thread) \(name) \(a) \(b) \(c)" }
}
