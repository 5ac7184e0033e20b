internal import SimulationFormats

/// The other end of a `WorkerProcess`, for the hidden verbs: requests from standard input, replies to standard output, a
/// line each.
enum WorkerLines {
  /// Does what is asked for, until nothing more is, or until `work` says with false that it ends here.
  static func serve<Request: Decodable>(
    _ type: Request.Type, _ work: (Request) throws -> Bool
  ) throws {
    while let line = readLine() {
      let request: Request
      do throws(FormatError) { request = try MessageLine.decode(type, from: line) } catch {
        throw UsageFailure(error.description)
      }
      if try !work(request) { return }
    }
  }

  static func answer(_ reply: some Encodable) throws {
    do throws(FormatError) { Console.result(try MessageLine.encode(reply)) } catch {
      throw UsageFailure(error.description)
    }
  }
}
