internal import EngineKit
public import SimulationKit

extension CrashRun {
  public static let clients = CrashRun(
    "clients", "clients write the same keys at once, with batches and checkpoints among them"
  ) { run in
    for turn in 0..<5 {
      let batch = Operation.batch(
        (0..<3).map { BatchWrite([0x6B, 0x30 + $0], run.value(20)) })
      let puts = (0..<3).map { key -> Operation in
        .insert(run.value(24), for: [0x6B, 0x30 + UInt8(key)], in: .default)
      }
      run.together([
        puts, [batch, .flush], [.remove([0x6B, 0x31], in: .default), .flush],
        turn % 2 == 1 ? [.checkpoint] : [.count(in: .default)],
      ])
    }
  }
}
