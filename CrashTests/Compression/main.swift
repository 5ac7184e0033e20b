import CrashSupport
import EngineKit

/// Pages are compressed, in the fast and in the strong way; some values are text, others do not compress.
struct Compression: CrashSubject {
  let name = "compression"
  let summary = "compressed pages, of values that do and do not compress"

  var pace: CrashPace { CrashPace(checkpoint: 60, evict: 40, clean: 100) }

  func adjust(_ settings: inout EngineSettings, _ draw: inout CrashDraw) {
    settings.compression = draw.oneIn(2) ? .fast : .strong
    settings.pageSize = 2048 << draw.below(2)
  }

  func operation(_ client: CrashClient, _ draw: inout CrashDraw) -> Operation {
    let key = client.key(draw.below(500))
    let length = draw.magnitude(16, 900)
    switch draw.below(12) {
    case 0: return .remove(key, in: .default)
    case 1, 2: return .get(key, in: .default)
    case 3, 4: return .insert(CrashValue.noise(client, length), for: key, in: .default)
    default: return .insert(CrashValue.text(client, length), for: key, in: .default)
    }
  }
}

CrashProgram.run(Compression())
