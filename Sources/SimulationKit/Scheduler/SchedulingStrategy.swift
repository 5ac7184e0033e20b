/// Decides who runs. The scheduler asks only where there is a choice: while one thread alone can
/// run, nothing is drawn.
///
/// One file a strategy. A strategy draws from the tape and keeps no other source of chance.
public protocol SchedulingStrategy: AnyObject {
  /// A new round begins, with choices of its own in `lane`: what is drawn in one round does not move
  /// the choices of the next. Before the first call, the lane is the tape's "schedule".
  func beginRound(_ lane: ChoiceLane)

  /// A thread was started.
  func began(_ thread: SimulatedThread)

  /// How many seam calls `thread`, which runs now, may make before it must give way; 0 for as many
  /// as it makes until it blocks. Asked once after a switch, as soon as another thread could run.
  /// `calls` is the number of seam calls of the simulation so far.
  func quantum(of thread: SimulatedThread, calls: UInt64) -> UInt64

  /// Whether `woken`, which was started or woken just now, takes the processor from `running` at its
  /// next seam call.
  func outranks(_ woken: SimulatedThread, _ running: SimulatedThread) -> Bool

  /// Which of `runnable` (two at least, the one that has waited longest first) runs next. Where a
  /// thread gives way it is `leaving` and not among them; `reason` says why it does.
  func choose(
    among runnable: [SimulatedThread], leaving: SimulatedThread?, because reason: SwitchReason
  ) -> Int
}

/// Why the running thread stops running.
public enum SwitchReason: Sendable {
  /// It waits, or has ended.
  case waits
  /// It has used up its quantum.
  case quantum
  /// A thread of higher rank has come.
  case outranked
  /// Of its own will, in a waiting loop.
  case yields
}
