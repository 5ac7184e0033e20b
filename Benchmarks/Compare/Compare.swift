import Foundation

/// Compares Luge with other embedded engines. See Benchmarks/README.md.
@main
enum Compare {
  static func main() {
    let arguments = Array(CommandLine.arguments.dropFirst())
    signal(SIGPIPE, SIG_IGN)
    if arguments.first == "worker" { return work(Array(arguments.dropFirst())) }
    let options: Options
    do {
      options = try Options(arguments)
    } catch {
      Console.note("\(error)\n\(Options.usage)")
      exit(2)
    }
    do {
      let journal = try Journal(
        directory: options.directory, key: options.key, isFresh: options.isFresh)
      if !options.isReportOnly { try measure(options, journal) }
      let results = Results(journal.samples)
      print(report(options, results))
      Console.note("samples are in \(journal.path)")
      exit(results.failures.isEmpty ? 0 : 1)
    } catch {
      Console.note("\(error)")
      exit(1)
    }
  }

  private static func work(_ arguments: [String]) {
    guard let engine = arguments.first else { exit(2) }
    do {
      if arguments.count > 1 { try MemoryGroup.enter(arguments[1]) }
    } catch {
      Console.note("\(error)")
      exit(1)
    }
    Engines.serve(engine)
  }

  private static func measure(_ options: Options, _ journal: Journal) throws {
    let sections = Plan.sections(options)
    for (number, planned) in sections.enumerated() {
      if journal.isDone(planned.name) {
        Console.note("\(planned.name): done before")
        continue
      }
      Console.note("section \(number + 1) of \(sections.count): \(planned.name)")
      let section = Section(planned, options, journal)
      defer { section.cleanUp() }
      try FileManager.default.createDirectory(
        atPath: section.folder, withIntermediateDirectories: true)
      try planned.body(section)
      try section.finish()
    }
  }

  private static func report(_ options: Options, _ results: Results) -> String {
    switch options.format {
    case .text: TextReport(options: options, results: results).lines().joined(separator: "\n")
    case .json: JSONReport(options: options, results: results).lines().joined(separator: "\n")
    case .html: HTMLReport(options: options, results: results).page()
    }
  }
}
