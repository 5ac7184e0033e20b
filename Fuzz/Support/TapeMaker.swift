import SimulationFormats

/// A target whose inputs are tapes of the simulation.
protocol TapeMaker: AnyObject {
  /// The tape of an input as a file that `simulate replay` runs.
  func tape(of input: [UInt8]) -> TapeFile
}
