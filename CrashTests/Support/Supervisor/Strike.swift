internal import Platform

/// When a child is to be killed: so long after something was heard of it.
struct Strike {
  enum Trigger: Equatable {
    /// The child has entered a phase.
    case phase(Phase)
    /// So many operations have been reported as done.
    case reports(Int)
    /// A flush, a checkpoint, a cleaning has begun for the so-manieth time.
    case asked(Announced, Int)
  }

  var trigger: Trigger
  /// Nanoseconds.
  var delay: UInt64

  static let afterReading = Strike(trigger: .phase(.read), delay: 0)
}

/// Operations whose beginning is reported.
enum Announced: Int {
  case flush = 1
  case checkpoint
  case clean
}

/// Where a kill struck, as far as the reports tell that had been written by then.
enum KillPlace: Int, CaseIterable {
  /// While a directory was opened that was new or had been closed in good order.
  case open
  /// While a directory was opened that a killed process had left.
  case recovery
  case flush
  case checkpoint
  case clean
  case close
  case elsewhere

  var name: String { "\(self)" }
}

/// How a directory was left.
enum DirectoryState {
  case new
  case closed
  case crashed

  /// What opening it is, where time is measured.
  var opening: Durations.Kind {
    switch self {
    case .new: .creation
    case .closed: .opening
    case .crashed: .recovery
    }
  }
}

/// How long things take here and now, in nanoseconds, by what was heard of them: so that a kill that is to strike
/// within one does. Which part of it, says the plan.
struct Durations {
  enum Kind: Int, CaseIterable {
    case creation
    case opening
    case recovery
    case flush
    case checkpoint
    case clean
    case closing
  }

  /// Guesses, until something was measured.
  private var averages = [UInt64](repeating: 1_000_000, count: Kind.allCases.count)
  /// What took less is not looked at: a cleaning that finds nothing to do.
  private static let least: UInt64 = 100_000

  mutating func add(_ kind: Kind, _ nanoseconds: UInt64) {
    if nanoseconds < Self.least { return }
    let former = averages[kind.rawValue]
    averages[kind.rawValue] = (former * 3 + min(nanoseconds, 200_000_000)) / 4
  }

  /// A delay that lies within such a time in most cases; thousandths of a whole from the plan.
  func delay(_ kind: Kind, _ thousandths: Int) -> UInt64 {
    averages[kind.rawValue] / 1000 * UInt64(thousandths)
  }
}
