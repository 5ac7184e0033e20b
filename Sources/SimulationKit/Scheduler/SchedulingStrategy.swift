/// Decides who runs. The scheduler asks only where there is a choice: while one thread alone can
/// run, nothing is drawn.
///
/// One file a strategy. A strategy draws from the tape and keeps no other source of chance.
public protocol SchedulingStrategy: AnyObject {
  /// A thread was started.
  func began(_ thread: SimulatedThread)

  /// How many seam calls `thread`, which runs now, may make before it must give way; 0 for as many
  /// as it makes until it blocks. Asked once after a switch, as soon as another thread could run.
  /// `calls` is the number of seam calls of the simulation so far.
  func quantum(of thread: SimulatedThread, calls: UInt64) -> UInt64

  /// Which of `runnable` (two at least, the one that has waited longest first) runs next. Where a
  /// thread gives way, after its quantum or of its own will, it is `leaving` and not among them.
  func choose(among runnable: [SimulatedThread], leaving: SimulatedThread?) -> Int
}
