internal import EngineAdapters
internal import EngineKit
internal import Platform

/// What a supervisor asks of a child, as hidden arguments.
struct ChildOptions: Sendable {
  enum Task: String {
    case work
    case check
  }

  /// What a checking child does after it has read everything.
  enum Ending: String {
    /// Waits to be killed.
    case wait
    case close
    /// Settles, says what is on disk, closes.
    case settle
    /// Removes everything, settles, says what is left on disk, closes.
    case empty
    /// Reads nothing; settles, says what is on disk, closes.
    case measure
  }

  var task = Task.work
  var engine = "luge"
  var directory = ""
  var seed: UInt64 = 1
  /// The number of the directory, which its settings follow from.
  var epoch = 0
  var life = 0
  /// Of each client.
  var operations = 0
  /// Nanoseconds after each operation.
  var pause: UInt64 = 0
  var ending = Ending.wait
  /// The file for a log of the calls; empty for none.
  var record = ""

  static let marker = "--child"

  var arguments: [String] {
    [
      Self.marker, task.rawValue, engine, directory, String(seed), String(epoch), String(life),
      String(operations), String(pause), ending.rawValue, record,
    ]
  }

  init() {}

  /// Nil: these are not the arguments of a child.
  init?(_ arguments: [String]) {
    guard arguments.count == 11, arguments[0] == Self.marker,
      let task = Task(rawValue: arguments[1]), let seed = UInt64(arguments[4]),
      let epoch = Int(arguments[5]), let life = Int(arguments[6]),
      let operations = Int(arguments[7]), let pause = UInt64(arguments[8]),
      let ending = Ending(rawValue: arguments[9])
    else { return nil }
    self.task = task
    engine = arguments[2]
    directory = arguments[3]
    self.seed = seed
    self.epoch = epoch
    self.life = life
    self.operations = operations
    self.pause = pause
    self.ending = ending
    record = arguments[10]
  }

  var platform: PlatformServices { .real }

  var factory: any EngineFactory {
    guard let factory = EngineRegistry.named(engine) else {
      preconditionFailure("the supervisor has looked the engine up")
    }
    return factory
  }

  /// Opens the directory with the settings that are drawn for it.
  func open(
    _ subject: any CrashSubject, on files: (any FileSystem)? = nil
  ) throws(EngineError) -> any KeyValueEngine {
    var world = platform
    if let files { world.files = files }
    return try factory.open(directory, on: world, settings: settings(of: subject))
  }

  func settings(of subject: any CrashSubject) -> EngineSettings {
    CrashSettings.draw(subject, seed: seed, directory: epoch)
  }
}
