internal import EngineKit
internal import HistoryKit
internal import Platform

/// Callers who open wrongly, and a database beside: before an opening that is meant.
///
/// Sound: no fault strikes meanwhile, so there is one right answer; and not where the disk is damaged. That a refusal
/// changed nothing is what all other checkers say of the opening that follows.
extension TapeRun {
  private static let absent = "/absent"
  private static let file = "/file"
  private static let beside = "/beside"

  /// In some lives of some tapes; drawn from a lane of its own, so that tapes that were saved before have none.
  func openWrongly(_ platform: PlatformServices) {
    if !plan.opensWrongly || mustOpen || hasRot || plan.faults[.lyingSync] != 0 { return }
    let choice = tape.lane("mistake").draw("what", below: 8)
    if choice == 0 { return }
    simulation.faultsAreSuspended = true
    defer { simulation.faultsAreSuspended = false }
    switch choice {
    case 1, 2: make(.noDirectory, TapeRun.absent, platform)
    case 3: inFile(platform)
    case 4, 5: beside(platform)
    default:
      // What is there after a first opening that failed nobody knows.
      if hasOpened {
        make(choice == 6 ? .notNew : .otherSizes, TapeRun.directory, platform)
      } else if lives == 1 {
        make(.noDatabase, TapeRun.directory, platform)
      }
    }
  }

  private func make(
    _ mistake: OpeningMistake, _ directory: String, _ platform: PlatformServices
  ) {
    do throws(EngineError) {
      let engine = try factory.open(
        directory, on: platform, settings: plan.settings, by: mistake)
      if engine != nil { fail("error-contract", "opened \(mistake.rawValue)") }
    } catch {
      // Decay counts when it is met: perhaps here.
      if error.code == .killed || hasRot { return }
      simulation.record("opened wrongly", 0, 0, 0)
      let isRefusal =
        switch error.code {
        case .other, .invalidArgument: true
        // Of a file that is no directory an operating system says no more.
        case .inputOutput: mistake == .aFile
        default: false
        }
      if !isRefusal {
        fail("error-contract", "opening \(mistake.rawValue): \(error)")
      }
    }
  }

  private func inFile(_ platform: PlatformServices) {
    do throws(PlatformError) {
      try platform.files.open(TapeRun.file, .readWriteOrCreate).close()
    } catch { return }
    make(.aFile, TapeRun.file, platform)
  }

  /// A second database, in a directory that the engine makes, or finds from an earlier life.
  private func beside(_ platform: PlatformServices) {
    // It takes space, which is counted there.
    if scenario.endsEmpty { return }
    let key = Array("beside".utf8)
    do throws(EngineError) {
      let engine = try factory.open(TapeRun.beside, on: platform, settings: plan.settings)
      _ = try engine.insert(key, for: key, in: .default)
      try engine.close()
    } catch {
      // Decay counts when it is met: perhaps here.
      if error.code == .killed || hasRot { return }
      fail("error-contract", "a database beside: \(error)")
    }
  }
}
