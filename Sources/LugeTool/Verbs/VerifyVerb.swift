internal import ArgumentParser
internal import Luge

/// `lugectl verify DIR`: checks everything that can be checked.
struct VerifyVerb: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "verify",
    abstract: "Checks the structure of a database and reads every image of it back.",
    discussion:
      "Exits with 1 when something is violated, damage that stops it from opening included.")

  @OptionGroup var options: DatabaseOptions

  private struct Answer: Encodable {
    var verdict: String
    var problems: [String]
    var trees = 0
    var leaves = 0
    var entries = 0
    var imageBytes = 0

    init(problems: [String]) {
      self.problems = problems
      verdict = problems.isEmpty ? "held" : "violated"
    }

    init(_ report: VerificationReport) {
      self.init(problems: report.problems)
      trees = report.trees
      leaves = report.leaves
      entries = report.entries
      imageBytes = report.imageBytes
    }
  }

  func run() throws {
    let answer: Answer
    do {
      answer = try options.withDatabase { database in Answer(try database.verify()) }
    } catch let error as LugeError where error.code == .corruption {
      answer = Answer(problems: ["\(error)"])
    }
    switch options.format {
    case .json: try Console.result(JSONText.line(answer))
    case .text:
      for problem in answer.problems { try Console.result("VIOLATED \(problem)") }
      if answer.problems.isEmpty {
        try Console.result(
          "HELD     \(answer.entries) entries in \(answer.leaves) leaves of \(answer.trees) trees, "
            + "\(answer.imageBytes) bytes read back")
      }
    }
    if !answer.problems.isEmpty { throw ExitStatus.violated }
  }
}
