import CrashSupport
import EngineKit

/// Ids are unique and grow, over all lives of a database, however each of them ended.
struct Ids: CrashSubject {
  let name = "ids"
  let summary = "unique ids, with a few writes among them"
  let requiredCapabilities: EngineCapabilities = .identifiers

  func operation(_ client: CrashClient, _ draw: inout CrashDraw) -> Operation {
    if draw.oneIn(8) {
      return .insert(client.value(24), for: client.key(draw.below(200)), in: .default)
    }
    return .nextID
  }
}

CrashProgram.run(Ids())
