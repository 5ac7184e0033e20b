import CrashSupport
import EngineKit

/// Values from a few bytes to more than a segment, small ones in place of large ones and the other way round; batches of
/// several, which become large commits.
struct LargeValues: CrashSubject {
  let name = "large-values"
  let summary = "values of up to 200 KB under few keys"

  var pace: CrashPace { CrashPace(flush: 24, checkpoint: 60, evict: 60, clean: 60) }

  func adjust(_ settings: inout EngineSettings, _ draw: inout CrashDraw) {
    // A value may take a quarter of it.
    settings.memoryBudget = max(settings.memoryBudget, 4 << 20)
    settings.checkpointInterval = max(settings.checkpointInterval, 256 << 10)
  }

  func operation(_ client: CrashClient, _ draw: inout CrashDraw) -> Operation {
    let key = client.key(draw.below(24))
    switch draw.below(16) {
    case 0...2: return .remove(key, in: .default)
    case 3...5: return .get(key, in: .default)
    case 6 where client.capabilities.contains(.batches):
      return .batch(
        (0..<4).map {
          BatchWrite(
            client.key(draw.below(24)), client.value(draw.magnitude(16, 24_000), part: $0))
        })
    default:
      return .insert(client.value(draw.magnitude(16, 200_000)), for: key, in: .default)
    }
  }
}

CrashProgram.run(LargeValues())
