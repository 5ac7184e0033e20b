internal import EngineKit

/// The operations of one life of the process, by client and number. Child and supervisor each make one.
struct OperationStream: Sendable {
  let subject: any CrashSubject
  let capabilities: EngineCapabilities
  let seed: UInt64
  let life: Int
  let clients: Int
  /// The subject's, but in some lives everything but the subject's own comes more rarely, or more often.
  let pace: CrashPace

  init(
    _ subject: any CrashSubject, _ capabilities: EngineCapabilities, seed: UInt64, life: Int
  ) {
    self.subject = subject
    self.capabilities = capabilities
    self.seed = seed
    self.life = life
    clients = capabilities.contains(.concurrentClients) ? subject.clients : 1
    var draw = CrashDraw(seed, 1, UInt64(life))
    let own = subject.pace
    func varied(_ rarity: Int) -> Int { max(2, (rarity << draw.below(4)) >> 2) }
    pace = CrashPace(
      flush: varied(own.flush), checkpoint: varied(own.checkpoint), evict: varied(own.evict),
      clean: varied(own.clean))
  }

  func operation(_ number: Int, of client: Int) -> Operation {
    var draw = CrashDraw(seed, 2, UInt64(life), UInt64(client), UInt64(number))
    if draw.oneIn(pace.flush) { return .flush }
    if client == 0, capabilities.contains(.checkpoints), draw.oneIn(pace.checkpoint) {
      return .checkpoint
    }
    if draw.oneIn(pace.evict) { return .evict }
    if draw.oneIn(pace.clean) { return .clean }
    return subject.operation(
      CrashClient(
        index: client, count: clients, number: number, life: life, capabilities: capabilities),
      &draw)
  }

  /// Those whose beginning is reported too: they take long, and a kill is to strike in the middle of them.
  static func announced(_ operation: Operation) -> Announced? {
    switch operation {
    case .flush: .flush
    case .checkpoint: .checkpoint
    case .clean: .clean
    default: nil
    }
  }
}
