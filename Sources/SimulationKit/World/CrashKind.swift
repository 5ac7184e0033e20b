/// How a simulated process is ended from outside.
public enum CrashKind: String, CaseIterable, Sendable, Codable {
  /// The process is gone; the disk keeps everything that was handed over.
  case processKill
  /// The machine stops. The process ends like a killed one; whoever ran it then tells the disk.
  case powerLoss
}
