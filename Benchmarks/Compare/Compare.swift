import Foundation

/// Compares Luge with other embedded engines. See Benchmarks/README.md.
@main
enum Compare {
  static func main() {
    let options: Options
    do {
      options = try Options(Array(CommandLine.arguments.dropFirst()))
    } catch {
      FileHandle.standardError.write(Data("compare: \(error)\n\(Options.usage)\n".utf8))
      exit(2)
    }
    do {
      let report = Report(options: options)
      let peers = Peers.named(options.peers)
      report.head([EngineContestant<LugeEngine>()] + peers)
      for peer in peers {
        let results = try Comparison(options: options, peer: peer).run()
        report.tell(results, peer: peer.name)
      }
    } catch {
      FileHandle.standardError.write(Data("compare: \(error)\n".utf8))
      exit(1)
    }
  }
}
