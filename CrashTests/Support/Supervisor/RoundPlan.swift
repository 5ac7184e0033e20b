/// What is to happen in one round, drawn from the seed: a life and where it is to be killed, recoveries that are killed,
/// and how the one ends that is read.
struct RoundPlan {
  enum Target {
    case opening
    case reports
    case delay
    /// Long enough for what happens by itself: checkpoints, cleaning.
    case long
    case flush
    case checkpoint
    case clean
    case closing
    /// Nobody kills it.
    case none
  }

  var target = Target.none
  /// How often what is aimed at must come first.
  var count = 1
  /// Of the delay, in thousandths.
  var part = 0
  /// A recovery that is killed, for each: so far into it, in thousandths of what one takes.
  var recoveries: [Int] = []
  /// What was read is recovered and read once more, with nothing in between.
  var readsTwice = false
  /// The engine may settle at the end, and what it takes on disk is held against what it holds.
  var settles = false
  /// The directory is closed in good order before this round.
  var beginsClosed = false
  /// Of each client, unless it is killed before.
  var operations = 1 << 16
  /// Nanoseconds after each operation.
  var pause: UInt64 = 0

  private static let targets: [Target] = [
    .opening, .opening, .opening, .reports, .reports, .reports, .reports, .delay, .delay, .delay,
    .long,
    .long, .flush, .flush, .checkpoint, .checkpoint, .clean, .closing, .closing, .none,
  ]

  init(seed: UInt64, round: Int) {
    var draw = CrashDraw(seed, 4, UInt64(round))
    target = Self.targets[draw.below(Self.targets.count)]
    part = draw.below(1000)
    beginsClosed = target == .opening || draw.oneIn(6)
    readsTwice = draw.oneIn(2)
    settles = draw.oneIn(4)
    while recoveries.count < 3, draw.oneIn(3) { recoveries.append(draw.below(1100)) }
    switch target {
    case .reports: count = draw.magnitude(1, 2048)
    case .flush: count = draw.magnitude(1, 16)
    case .checkpoint, .clean: count = draw.magnitude(1, 4)
    case .long:
      // As many operations as in others, in more time.
      pause = 50_000 << UInt64(draw.below(4))
    case .closing, .none: operations = draw.magnitude(4, 512)
    case .opening, .delay: break
    }
  }

  func strike(_ durations: Durations, _ state: DirectoryState) -> Strike? {
    switch target {
    case .opening:
      Strike(trigger: .phase(.opening), delay: durations.delay(state.opening, part))
    case .reports: Strike(trigger: .reports(count), delay: 0)
    // Up to 64 ms, and up to half a second.
    case .delay: Strike(trigger: .phase(.open), delay: UInt64(part) * 64_000)
    case .long: Strike(trigger: .phase(.open), delay: 150_000_000 + UInt64(part) * 350_000)
    case .flush:
      Strike(trigger: .asked(.flush, count), delay: durations.delay(.flush, part))
    case .checkpoint:
      Strike(trigger: .asked(.checkpoint, count), delay: durations.delay(.checkpoint, part))
    case .clean:
      Strike(trigger: .asked(.clean, count), delay: durations.delay(.clean, part))
    case .closing:
      Strike(trigger: .phase(.closing), delay: durations.delay(.closing, part))
    case .none: nil
    }
  }
}

/// Which rounds share a directory.
struct Epoch: Equatable {
  var number = 0
  var rounds = 0..<0

  init(seed: UInt64, containing round: Int) {
    var first = 0
    while true {
      var draw = CrashDraw(seed, 5, UInt64(number))
      rounds = first..<first + 6 + draw.below(24)
      if rounds.contains(round) { return }
      first = rounds.upperBound
      number += 1
    }
  }
}
