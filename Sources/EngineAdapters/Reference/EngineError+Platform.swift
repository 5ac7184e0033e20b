internal import EngineKit
internal import Platform

extension EngineError {
  /// The world's failure in the engine's terms.
  init(_ error: PlatformError) {
    let code: Code
    switch error.code {
    case .killed: code = .killed
    case .noSpace: code = .noSpace
    case .locked: code = .locked
    case .inputOutput, .faultPoint, .endOfFile: code = .inputOutput
    case .invalidArgument: code = .invalidArgument
    default: code = .other
    }
    self.init(code, error.description)
  }
}
