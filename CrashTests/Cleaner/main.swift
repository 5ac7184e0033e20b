import CrashSupport
import EngineKit

/// Overwrites a few keys again and again beside many that stay, so that segments are mostly dead and what is live
/// in them is moved.
struct Cleaner: CrashSubject {
  let name = "cleaner"
  let summary = "overwrites that leave dead space behind, and the cleaner at work"

  var pace: CrashPace { CrashPace(flush: 48, checkpoint: 40, evict: 32, clean: 32) }

  func adjust(_ settings: inout EngineSettings, _ draw: inout CrashDraw) {
    settings.pageSegmentSize = (16 << 10) << draw.below(2)
    settings.segmentSize = (32 << 10) << draw.below(2)
    settings.checkpointInterval = (16 << 10) << draw.below(3)
  }

  func operation(_ client: CrashClient, _ draw: inout CrashDraw) -> Operation {
    // Hot keys lie scattered among the others.
    let isHot = !draw.oneIn(6)
    let key = client.key(isHot ? draw.below(40) * 25 : draw.below(1000))
    if draw.oneIn(20) { return .remove(key, in: .default) }
    return .insert(client.value(16 + draw.magnitude(16, 600)), for: key, in: .default)
  }
}

CrashProgram.run(Cleaner())
