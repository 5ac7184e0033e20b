import CrashSupport
import EngineKit

/// sled's crash test of the same name: scans in both directions while keys come and go. A client sees of its own keys
/// exactly what it has written, in order, also right after a recovery.
struct Iteration: CrashSubject {
  let name = "iteration"
  let summary = "scans both ways while keys come and go"

  func operation(_ client: CrashClient, _ draw: inout CrashDraw) -> Operation {
    let key = client.key(draw.below(600))
    let direction: Direction = draw.oneIn(2) ? .forward : .backward
    switch draw.below(16) {
    case 0: return .scan(.all, direction, limit: 100, in: .default)
    case 1: return .scan(.prefix([key[0]]), direction, limit: .max, in: .default)
    case 2...4:
      let other = client.key(draw.below(600))
      let range =
        key.precedes(other)
        ? KeyRange(lower: key, upper: other) : KeyRange(lower: other, upper: key)
      return .scan(range, direction, limit: draw.magnitude(1, 256), in: .default)
    case 5...7: return .remove(key, in: .default)
    case 8, 9: return .get(key, in: .default)
    default: return .insert(client.value(16 + draw.below(100)), for: key, in: .default)
    }
  }
}

CrashProgram.run(Iteration())
