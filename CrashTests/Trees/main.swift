import CrashSupport
import EngineKit

/// Trees that come, are written and dropped by anyone, beside some that stay; batches write several of them.
struct Trees: CrashSubject {
  let name = "trees"
  let summary = "named trees that come and go, and batches over several of them"
  let requiredCapabilities: EngineCapabilities = .namedTrees

  func operation(_ client: CrashClient, _ draw: inout CrashDraw) -> Operation {
    let tree = tree(&draw)
    let key = client.key(draw.below(150))
    switch draw.below(48) {
    case 0 where client.capabilities.contains(.treeRemoval):
      return .dropTree("passing-\(draw.below(8))")
    case 1: return .count(in: tree)
    case 2: return .scan(.all, .forward, limit: 64, in: tree)
    case 3...5: return .get(key, in: tree)
    case 6...12: return .remove(key, in: tree)
    case 13...20 where client.capabilities.contains(.crossTreeBatches):
      return .batch(
        (0..<2 + draw.below(6)).map { part in
          BatchWrite(
            client.key(draw.below(150)), client.value(32, part: part), in: self.tree(&draw))
        })
    default: return .insert(client.value(16 + draw.below(80)), for: key, in: tree)
    }
  }

  private func tree(_ draw: inout CrashDraw) -> TreeName {
    switch draw.below(4) {
    case 0: .default
    case 1: "staying-\(draw.below(3))"
    default: "passing-\(draw.below(8))"
    }
  }
}

CrashProgram.run(Trees())
