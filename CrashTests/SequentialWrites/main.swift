import CrashSupport
import EngineKit

/// sled's crash test of the same name: each client writes round a ring of keys, one after the other. What
/// survives of all rings together is a prefix of what was written.
struct SequentialWrites: CrashSubject {
  let name = "sequential-writes"
  let summary = "each client overwrites a ring of keys in order"

  func operation(_ client: CrashClient, _ draw: inout CrashDraw) -> Operation {
    let ring = 64 << (client.life % 5)
    return .insert(
      client.value(16 + draw.below(120)), for: client.key(client.number % ring), in: .default)
  }
}

CrashProgram.run(SequentialWrites())
