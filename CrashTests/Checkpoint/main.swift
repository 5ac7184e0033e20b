import CrashSupport
import EngineKit

/// Checkpoints close on each other's heels, while keys are written, removed in runs so that pages merge, and taken out of
/// memory.
struct Checkpoint: CrashSubject {
  let name = "checkpoint"
  let summary = "many checkpoints beside writes, merges and evictions"
  let requiredCapabilities: EngineCapabilities = .checkpoints

  var pace: CrashPace { CrashPace(flush: 64, checkpoint: 12, evict: 16, clean: 100) }

  func adjust(_ settings: inout EngineSettings, _ draw: inout CrashDraw) {
    settings.checkpointInterval = (8 << 10) << draw.below(4)
    settings.pageSize = 1024
  }

  func operation(_ client: CrashClient, _ draw: inout CrashDraw) -> Operation {
    // Phases of writing and of removing, in runs.
    let phase = client.number / 200
    let key = client.key((phase * 37 + client.number) % 800)
    if phase % 3 == 2 { return .remove(key, in: .default) }
    return .insert(client.value(16 + draw.below(60)), for: key, in: .default)
  }
}

CrashProgram.run(Checkpoint())
