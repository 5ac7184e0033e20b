internal import CPlatform

/// A simulated thread that traps (a failed precondition, an overflow, a wild pointer) is a finding like any other:
/// its process dies, and the tape goes on to its report.
///
/// The thread's stack is left as it is, for good, with whatever it holds. What the world outside traps on is its
/// own affair, and ends the program.
extension Scheduler {
  /// Asks this scheduler from now on; answers who was asked before.
  func catchTraps() -> UnsafeMutableRawPointer? {
    // Asked only until `runProcess` returns, whose caller keeps the scheduler.
    unsafe platform_traps_catch(threadTrapped, Unmanaged.passUnretained(self).toOpaque())
  }

  func catchTraps(for former: UnsafeMutableRawPointer?) {
    _ = unsafe platform_traps_catch(threadTrapped, former)
  }

  /// Returns only where no simulated thread runs.
  fileprivate func trapped(_ signal: Int32) {
    guard let thread = current else { return }
    if !isUnwinding {
      // A literal of C.
      let what = unsafe String(cString: platform_trap_name(signal))
      let text =
        "\(thread.name) (t\(thread.id)) trapped (\(what)) at call \(seamCalls), after \(thread.place)"
      beginUnwinding(.trapped(text), at: "trap")
    }
    abandon(thread)
  }
}

/// On the stack of the thread that trapped.
private func threadTrapped(_ context: UnsafeMutableRawPointer?, _ signal: Int32) {
  // What `catchTraps` passed, whose scheduler is running.
  guard let context = unsafe context else { return }
  unsafe Unmanaged<Scheduler>.fromOpaque(context)._withUnsafeGuaranteedRef { $0.trapped(signal) }
}
