internal import Foundation
public import SimulationKit

/// What the campaign asks of a worker process: one line of JSON each.
public enum WorkerRequest: Codable, Equatable, Sendable {
  /// Run the tapes `first..<first + count` of a scenario; one `WorkerReply` each.
  case run(scenario: String, first: Int, count: Int)
  /// Run this tape again, shrink it, save it.
  case shrink(scenario: String, index: Int)
}

/// What a worker answers: one line of JSON for each tape.
public struct WorkerReply: Codable, Equatable, Sendable {
  public var scenario: String
  public var index: Int
  public var result: TapeSummary
  /// Where a shrunk tape was saved, and what it still does.
  public var file: String?
  public var shrunk: TapeSummary?
  /// Processor time since the last reply.
  public var cpuSeconds: Double
  /// The worker ends after this reply: a tape has trapped, and what that did to its memory is not known.
  public var isLast = false

  public init(
    scenario: String, index: Int, result: TapeSummary, file: String? = nil,
    shrunk: TapeSummary? = nil, cpuSeconds: Double
  ) {
    self.scenario = scenario
    self.index = index
    self.result = result
    self.file = file
    self.shrunk = shrunk
    self.cpuSeconds = cpuSeconds
  }
}

/// A `TapeResult` without choices and events, as it travels between processes.
public struct TapeSummary: Codable, Equatable, Sendable {
  struct Fault: Codable, Equatable, Sendable {
    var property, detail: String
    var step: Int
  }
  var failures: [Fault]
  /// The single numbers of `TapeCounters`, in the order of their declaration.
  var numbers: [Int]
  var pendingSectors, faults: [Int]
  var pointNames, probeNames: [String]
  var points, probes: [Int]
  var states: [UInt64]
  var traceHash: String
  var inconclusive: String?

  public init(_ result: TapeResult) {
    let counters = result.counters
    failures = result.failures.map {
      Fault(property: $0.property, detail: $0.detail, step: $0.step)
    }
    numbers = [
      counters.tapes, counters.operations, counters.processKills, counters.powerLosses,
      counters.crashesWithPendingSectors, counters.crashesDuringRecovery, counters.recoveries,
      counters.reportedDamage, counters.threadSwitches, counters.schedules,
      counters.schedulePoints, counters.schedulesCut, counters.longestCall,
      counters.schedulesSame, counters.preemptions,
    ]
    pendingSectors = counters.pendingSectors
    faults = counters.faults
    pointNames = counters.faultPoints.map(\.name)
    points = counters.faultPoints.map(\.count)
    probeNames = counters.probes.map(\.name)
    probes = counters.probes.map(\.count)
    states = result.states.sorted()
    traceHash = result.traceHash
    inconclusive = result.inconclusive
  }

  /// The result again.
  public func result() throws(FormatError) -> TapeResult {
    guard numbers.count == 15, points.count == pointNames.count, probes.count == probeNames.count
    else { throw FormatError("a worker's reply has the wrong shape") }
    var result = TapeResult()
    result.failures = failures.map {
      Failure(property: $0.property, detail: $0.detail, step: $0.step)
    }
    result.counters.tapes = numbers[0]
    result.counters.operations = numbers[1]
    result.counters.processKills = numbers[2]
    result.counters.powerLosses = numbers[3]
    result.counters.crashesWithPendingSectors = numbers[4]
    result.counters.crashesDuringRecovery = numbers[5]
    result.counters.recoveries = numbers[6]
    result.counters.reportedDamage = numbers[7]
    result.counters.threadSwitches = numbers[8]
    result.counters.schedules = numbers[9]
    result.counters.schedulePoints = numbers[10]
    result.counters.schedulesCut = numbers[11]
    result.counters.longestCall = numbers[12]
    result.counters.schedulesSame = numbers[13]
    result.counters.preemptions = numbers[14]
    result.counters.pendingSectors = pendingSectors
    result.counters.faults = faults
    result.counters.faultPoints = zip(pointNames, points).map { NamedCount($0, $1) }
    result.counters.probes = zip(probeNames, probes).map { NamedCount($0, $1) }
    result.states = Set(states)
    result.traceHash = traceHash
    result.inconclusive = inconclusive
    return result
  }
}

/// Messages as lines.
public enum MessageLine {
  public static func encode(_ message: some Encodable) throws(FormatError) -> String {
    do {
      return String(decoding: try JSONEncoder().encode(message), as: UTF8.self)
    } catch {
      throw FormatError("cannot encode a message: \(error)")
    }
  }

  public static func decode<Message: Decodable>(
    _ type: Message.Type, from line: String
  ) throws(FormatError) -> Message {
    do {
      return try JSONDecoder().decode(type, from: Data(line.utf8))
    } catch {
      throw FormatError("a message is damaged: \(error)")
    }
  }
}
