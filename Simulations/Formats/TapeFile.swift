internal import Foundation
public import SimulationKit

/// A saved tape: all that is needed to run it again.
///
/// | field | meaning |
/// |---|---|
/// | `format` | 1 |
/// | `build` | "release" or "debug", and traits: a tape is exact for the build that made it |
/// | `scenario`, `engine`, `operations` | what to run |
/// | `seed` | decimal; makes the tape again where `choices` is null |
/// | `property`, `detail` | what did not hold |
/// | `strategy` | "random" or "pct" where the campaign asked for it; may be missing |
/// | `lanes`, `labels` | names that the choices refer to |
/// | `choices` | arrays `[lane, label, bound, value, begins a group]`, in order; bounds above 2^53 lose nothing: integers |
/// | `checksum` | FNV-1a, 64 bits, over all of the above |
public struct TapeFile: Equatable, Sendable {
  public var build: String
  public var scenario: String
  public var engine: String
  public var operations: Int
  public var seed: UInt64
  public var property: String
  public var detail: String
  /// Nil: the tape that the seed makes. So are tapes saved whose process died.
  public var choices: [Choice]?
  /// How threads are interleaved where the tape does not say.
  public var strategy: StrategyName?

  public static let formatVersion = 1

  public init(
    scenario: String, engine: String, operations: Int, seed: UInt64, property: String,
    detail: String, choices: [Choice]?, strategy: StrategyName? = nil,
    build: String = TapeFile.currentBuild
  ) {
    self.strategy = strategy
    self.build = build
    self.scenario = scenario
    self.engine = engine
    self.operations = operations
    self.seed = seed
    self.property = property
    self.detail = detail
    self.choices = choices
  }

  /// This process's build.
  public static var currentBuild: String {
    var flavour = "release"
    // Only the condition differs; assertions are compiled out of release builds.
    assert(
      {
        flavour = "debug"
        return true
      }())
    #if SchedulePoints
      flavour += "+SchedulePoints"
    #endif
    return flavour
  }
}

extension TapeFile {
  /// The file as JSON, ending in a newline.
  public func encoded() throws(FormatError) -> String {
    let stored = Stored(self)
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    do {
      let data = try encoder.encode(stored)
      return String(decoding: data, as: UTF8.self) + "\n"
    } catch {
      throw FormatError("cannot encode the tape: \(error)")
    }
  }

  /// Reads what `encoded` wrote. Never traps; whatever is not a sound tape is one clear error.
  public init(json: String) throws(FormatError) {
    let data = Data(json.utf8)
    let stored: Stored
    do {
      let head = try JSONDecoder().decode(Head.self, from: data)
      if head.format != TapeFile.formatVersion {
        throw FormatError(
          "format \(head.format) is not known; this build reads \(TapeFile.formatVersion)")
      }
      stored = try JSONDecoder().decode(Stored.self, from: data)
    } catch let error as FormatError {
      throw error
    } catch {
      throw FormatError("not a tape file: \(TapeFile.explain(error))")
    }
    self = try stored.tape()
  }

  private static func explain(_ error: any Error) -> String {
    switch error as? DecodingError {
    case .keyNotFound(let key, _): "no field \"\(key.stringValue)\""
    case .typeMismatch(_, let context), .valueNotFound(_, let context):
      "the field \"\(context.codingPath.map(\.stringValue).joined(separator: "."))\" is wrong"
    default: "the JSON is damaged"
    }
  }

  private struct Head: Codable { var format: Int }

  private struct Stored: Codable {
    var format: Int
    var build, scenario, engine: String
    var operations: Int
    var seed, property, detail: String
    var lanes, labels: [String]
    var choices: [[UInt64]]?
    var strategy: String?
    var checksum: String

    init(_ tape: TapeFile) {
      format = TapeFile.formatVersion
      build = tape.build
      scenario = tape.scenario
      engine = tape.engine
      operations = tape.operations
      seed = String(tape.seed)
      property = tape.property
      detail = tape.detail
      strategy = tape.strategy?.rawValue
      var lanes = NameTable()
      var labels = NameTable()
      choices = tape.choices.map { choices in
        choices.map {
          [
            UInt64(lanes.index(of: $0.lane)), UInt64(labels.index(of: $0.label)), $0.bound,
            $0.value, $0.beginsGroup ? 1 : 0,
          ]
        }
      }
      self.lanes = lanes.names
      self.labels = labels.names
      checksum = ""
      checksum = computedChecksum
    }

    var computedChecksum: String {
      var hash: UInt64 = 0xCBF2_9CE4_8422_2325
      func mix(_ text: String) {
        for byte in text.utf8 { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01B3 }
        hash = (hash ^ 0xFF) &* 0x0000_0100_0000_01B3
      }
      for text in [build, scenario, engine, seed, property, detail] { mix(text) }
      mix("\(format) \(operations) \(choices == nil)")
      if let strategy { mix(strategy) }
      for name in lanes { mix(name) }
      mix("")
      for name in labels { mix(name) }
      for choice in choices ?? [] {
        for number in choice { hash = (hash ^ number) &* 0x0000_0100_0000_01B3 }
        hash ^= hash >> 29
      }
      return String(hash, radix: 16)
    }

    func tape() throws(FormatError) -> TapeFile {
      if checksum != computedChecksum { throw FormatError("the tape is damaged: wrong checksum") }
      guard let seed = UInt64(seed) else { throw FormatError("the seed is not a number") }
      if operations < 0 { throw FormatError("a negative number of operations") }
      var read: [Choice]?
      if let choices {
        var all: [Choice] = []
        all.reserveCapacity(choices.count)
        for numbers in choices {
          guard numbers.count == 5, numbers[0] < lanes.count, numbers[1] < labels.count,
            numbers[2] == 0 || numbers[3] < numbers[2]
          else { throw FormatError("choice \(all.count) is damaged") }
          all.append(
            Choice(
              lane: lanes[Int(numbers[0])], label: labels[Int(numbers[1])], bound: numbers[2],
              value: numbers[3], beginsGroup: numbers[4] != 0))
        }
        read = all
      }
      if let strategy, StrategyName(rawValue: strategy) == nil {
        throw FormatError("the strategy \"\(strategy)\" is not known")
      }
      return TapeFile(
        scenario: scenario, engine: engine, operations: operations, seed: seed,
        property: property, detail: detail, choices: read,
        strategy: strategy.flatMap { StrategyName(rawValue: $0) }, build: build)
    }
  }

  /// Names in the order of their first use.
  private struct NameTable {
    var names: [String] = []
    private var places: [String: Int] = [:]

    mutating func index(of name: String) -> Int {
      if let place = places[name] { return place }
      places[name] = names.count
      names.append(name)
      return names.count - 1
    }
  }
}
