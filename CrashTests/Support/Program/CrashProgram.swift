internal import EngineAdapters
internal import EngineKit
internal import Platform

/// The whole of a program of CrashTests: supervisor, or, with hidden arguments, one of its children.
public enum CrashProgram {
  /// Does what the arguments ask for, and ends the process: 0 held, 1 violated, 2 wrong usage or input.
  public static func run(_ subject: any CrashSubject) -> Never {
    let arguments = Array(CommandLine.arguments.dropFirst())
    if let child = ChildOptions(arguments) {
      ParentProcess.endWithIt()
      switch child.task {
      case .work: ThisProcess.exit(WorkingChild(subject: subject, options: child).run())
      case .check: ThisProcess.exit(CheckingChild(subject: subject, options: child).run())
      }
    }
    let name = "crash-" + subject.name
    do throws(UsageError) {
      var options = try ProgramOptions(arguments)
      if options.wantsHelp {
        print("\(name): \(subject.summary)\n" + ProgramOptions.usage(name))
        ThisProcess.exit(0)
      }
      options.program = CommandLine.arguments[0]
      let factory = try engine(options, for: subject)
      ThisProcess.exit(try run(subject, options, factory))
    } catch {
      ThisProcess.writeError("\(name): \(error.message)\n")
      ThisProcess.exit(2)
    }
  }

  private static func engine(
    _ options: ProgramOptions, for subject: any CrashSubject
  ) throws(UsageError) -> any EngineFactory {
    guard let factory = EngineRegistry.named(options.engine) else {
      let names = EngineRegistry.all.map(\.name).joined(separator: ", ")
      throw UsageError("there is no engine \"\(options.engine)\"; there are \(names)")
    }
    guard factory.capabilities.isSuperset(of: subject.requiredCapabilities) else {
      throw UsageError("the engine \"\(options.engine)\" has not what this subject needs")
    }
    return factory
  }

  private static func run(
    _ subject: any CrashSubject, _ options: ProgramOptions, _ factory: any EngineFactory
  ) throws(UsageError) -> Int32 {
    do throws(PlatformError) {
      if let directory = options.check {
        let check = DirectoryCheck(subject: subject, options: options, factory: factory)
        return try check.run(directory)
      }
      if let file = options.record {
        let life = RecordedLife(subject: subject, options: options, factory: factory)
        return try life.run(to: file)
      }
      return try Supervisor(subject, options, factory).run()
    } catch { throw UsageError("\(error)") }
  }
}
