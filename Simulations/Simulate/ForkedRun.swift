internal import CPlatform
internal import EngineKit
internal import Foundation
internal import SimulationFormats
internal import SimulationKit

/// Runs a tape in a copy of this process, which ends with it: what a tape does to the memory of its process when
/// it traps is then no concern of the next one. Only where this process has no other thread.
enum ForkedRun {
  /// What the copy says of its tape, as one JSON object.
  private struct Answer: Codable {
    var summary: TapeSummary
    /// Whole tape files: of what was drawn, and of what the strategy decided.
    var choices: String
    var schedule: String
  }

  /// The result, without history and events; a failure "trap" where the copy died of the tape.
  static func run(
    _ subject: any TapeSubject, _ factory: any EngineFactory, driver: any ChoiceDriver,
    options: TapeOptions
  ) -> TapeResult {
    let pipe = Pipe()
    let child = platform_fork()
    if child < 0 { return died("cannot fork") }
    if child == 0 {
      alarm(WorkerVerb.patience)
      let result = TapeRunner.run(subject, factory, driver: driver, options: options)
      if let answer = try? encode(result, subject, factory, options) {
        try? pipe.fileHandleForWriting.write(contentsOf: answer)
      }
      // Without what is done at the end of a process, which is the other one's affair.
      _exit(0)
    }
    try? pipe.fileHandleForWriting.close()
    let answer = (try? pipe.fileHandleForReading.readToEnd()) ?? Data()
    try? pipe.fileHandleForReading.close()
    var status: Int32 = 0
    // It is written within the call, and lives longer.
    while unsafe waitpid(child, &status, 0) < 0 && errno == EINTR {}
    return (try? decode(answer)) ?? died("the process died of the tape")
  }

  private static func encode(
    _ result: TapeResult, _ subject: any TapeSubject, _ factory: any EngineFactory,
    _ options: TapeOptions
  ) throws -> Data {
    func file(_ choices: [Choice]) throws -> String {
      try TapeFile(
        scenario: subject.name, engine: factory.name, operations: options.operations, seed: 0,
        property: "", detail: "", choices: choices
      ).encoded()
    }
    return try JSONEncoder().encode(
      Answer(
        summary: TapeSummary(result), choices: try file(result.choices),
        schedule: try file(result.schedule)))
  }

  private static func decode(_ data: Data) throws -> TapeResult {
    let answer = try JSONDecoder().decode(Answer.self, from: data)
    var result = try answer.summary.result()
    result.choices = try TapeFile(json: answer.choices).choices ?? []
    result.schedule = try TapeFile(json: answer.schedule).choices ?? []
    return result
  }

  private static func died(_ detail: String) -> TapeResult {
    var result = TapeResult()
    result.failures = [Failure(property: "trap", detail: detail, step: 0)]
    return result
  }
}
