import Foundation
import SimulationFormats

/// One program for all targets:
///
///     fuzz list                          names and what they are
///     fuzz TARGET --seeds DIRECTORY      writes the inputs to begin with
///     fuzz TARGET --replay PATH...       runs files, and those of directories; prints means
///     fuzz TARGET --tape FILE            prints an input as a tape file for `simulate replay`
///     fuzz TARGET [ARGUMENT...]          libFuzzer, with its own arguments
///
/// Without a target it is the one that the environment names: that is how libFuzzer starts copies of it.
enum Program {
  private static let usage =
    "usage: fuzz list | fuzz TARGET [--seeds DIRECTORY | --replay PATH... | --tape FILE | ARGUMENT...]"

  private static func fail(_ why: String) -> Never {
    Console.error(why)
    exit(2)
  }

  /// Does what the arguments ask for and ends the process; or answers libFuzzer's own arguments.
  static func begin(_ words: [String]) throws -> [String] {
    var arguments = Array(words.dropFirst())
    if arguments.first == "list" {
      for type in Targets.all { Console.result("\(type.name)\t\(type.summary)") }
      exit(0)
    }
    let inherited = ProcessInfo.processInfo.environment[FuzzRun.variable]
    let named = arguments.first.flatMap { Targets.named($0) }
    if named != nil { arguments.removeFirst() }
    guard let type = named ?? inherited.flatMap({ Targets.named($0) }) else { fail(usage) }
    switch arguments.first {
    case "--seeds":
      guard arguments.count == 2 else { fail(usage) }
      try Corpus.write(type.init().seeds(), to: arguments[1])
      exit(0)
    case "--tape":
      guard arguments.count == 2 else { fail(usage) }
      guard let maker = type.init() as? any TapeMaker else { fail("\(type.name) has no tapes") }
      Console.result(try maker.tape(of: Corpus.read(arguments[1])).encoded())
      exit(0)
    case "--replay": replay(type, Array(arguments.dropFirst()))
    default: break
    }
    FuzzRun.begin(type)
    // The last of two counts: who asks otherwise is heard. Its own copies have these among their arguments already.
    var own = type.weighsHitCounts ? [] : ["-use_counters=0"]
    if !arguments.contains(where: { $0.hasPrefix("-max_len=") }) {
      own.append("-max_len=\(type.longestInput)")
    }
    return words.prefix(1) + own + arguments
  }

  private static func replay(_ type: any FuzzTarget.Type, _ paths: [String]) -> Never {
    let files = Corpus.files(paths)
    let target = type.init()
    var findings = 0
    for file in files {
      do {
        try target.run(Corpus.read(file))
      } catch {
        findings += 1
        Console.error("FINDING  \(file): \(error)")
      }
    }
    Console.error("fuzz: \(files.count) inputs of \(type.name), \(findings) findings")
    Console.means(target, runs: files.count, "corpus")
    exit(findings == 0 ? 0 : 1)
  }
}

/// What Driver.c calls first: the arguments of the process, to be changed in place.
@_cdecl("luge_fuzz_begin")
func fuzzBegin(
  _ count: UnsafeMutablePointer<Int32>,
  _ words: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?>
) {
  do {
    let arguments = try Program.begin(CommandLine.arguments)
    // libFuzzer keeps them: they are never freed.
    let kept = UnsafeMutableBufferPointer<UnsafeMutablePointer<CChar>?>.allocate(
      capacity: arguments.count + 1)
    unsafe kept.initialize(repeating: nil)
    for (place, word) in arguments.enumerated() { unsafe kept[place] = strdup(word) }
    unsafe count.pointee = Int32(arguments.count)
    unsafe words.pointee = kept.baseAddress
  } catch {
    Console.error("\(error)")
    exit(2)
  }
}
