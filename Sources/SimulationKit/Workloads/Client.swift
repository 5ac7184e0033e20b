public import EngineKit

/// One client of the engine under test: where its choices come from and its operations go to.
///
/// Lanes belong to a client *and to a round* (the time between two crashes): taking operations out
/// of one round does not move those of the next.
public final class Client {
  /// Counts from 0.
  public let index: Int
  /// Clients that run at once.
  public let count: Int
  private let tape: ChoiceTape
  private let laneIndex: Int
  private let execute: (Operation) -> Outcome
  private let begin: (Operation) -> SlowScan?
  /// Scans that it has begun and not ended.
  public private(set) var slowScans: [SlowScan] = []
  private var names: [StaticString] = []
  private var lanes: [ChoiceLane] = []
  /// Operations done by this client in this tape; makes its values unlike all others.
  public private(set) var sequence: Int

  /// The clients of one round have numbers below this.
  static let lanesPerRound = 10

  init(
    index: Int, count: Int, round: Int, sequence: Int, tape: ChoiceTape,
    execute: @escaping (Operation) -> Outcome,
    begin: @escaping (Operation) -> SlowScan? = { _ in nil }
  ) {
    self.begin = begin
    self.index = index
    self.count = count
    self.tape = tape
    self.laneIndex = round * Client.lanesPerRound + index
    self.sequence = sequence
    self.execute = execute
  }

  /// This client's lane for the usual operations.
  public var lane: ChoiceLane { lane("client") }

  /// A lane of this client by name. Workloads with phases use one for each, so that the shrinker
  /// can take operations out of one phase without moving the others.
  public func lane(_ name: StaticString) -> ChoiceLane {
    var position = 0
    while position < names.count {
      // Only the addresses of two literals are compared; nothing is read through them.
      if unsafe names[position].utf8Start == name.utf8Start { return lanes[position] }
      position += 1
    }
    let lane = tape.lane(name, laneIndex)
    names.append(name)
    lanes.append(lane)
    return lane
  }

  /// Begins a group in `lane` and draws the kind of its operation, below `bound`; nil ends the lane.
  ///
  /// A tape that has run out answers zero, so zero means "no more": that is how a shrunk tape gets
  /// shorter. Seeded tapes hardly ever end so.
  public func nextKind(_ bound: Int, in lane: ChoiceLane) -> Int? {
    lane.beginGroup()
    let dice = lane.draw("operation", below: UInt64(bound) * Client.endRarity)
    return dice == 0 ? nil : Int((dice - 1) % UInt64(bound))
  }
  private static let endRarity: UInt64 = 4096

  /// Hands an operation to the engine. Other clients may run meanwhile.
  public func perform(_ operation: Operation) -> Outcome {
    sequence += 1
    return execute(operation)
  }

  /// Begins a scan that is read bit by bit; nil where the engine did not begin it. What is still under
  /// way when the client stops is read to its end.
  public func beginScan(_ range: KeyRange, _ direction: Direction, in tree: TreeName) -> SlowScan? {
    sequence += 1
    slowScans.removeAll { $0.isOver }
    guard let scan = begin(.scan(range, direction, limit: .max, in: tree)) else { return nil }
    slowScans.append(scan)
    return scan
  }

  /// A value that no other operation of this tape writes, where `length` is at least 8. Shorter ones
  /// are cut.
  public func value(length: Int) -> Bytes {
    Payload.value(tag: UInt64(index) << 32 | UInt64(sequence), length: length)
  }
}

/// How workloads make keys and values. Bulk operations only: debug builds run simulations too.
public enum Payload {
  /// `length` bytes: the tag, filler that depends on it, and where there is room the tag again, so that
  /// a value put together from two others is seen.
  public static func value(tag: UInt64, length: Int) -> Bytes {
    let mixed = scramble(tag)
    var bytes = Bytes(repeating: UInt8(truncatingIfNeeded: mixed >> 56), count: length)
    var index = 0
    while index < min(8, length) {
      let byte = UInt8(truncatingIfNeeded: tag >> UInt64(8 * (7 - index)))
      bytes[index] = byte
      if length >= 16 { bytes[length - 8 + index] = byte }
      index += 1
    }
    return bytes
  }

  /// "user" and twelve digits: as YCSB scatters its keys, so that hot ones are not neighbours.
  public static func scatteredKey(_ number: Int) -> Bytes {
    decimal(scramble(UInt64(number)) % 1_000_000_000_000, digits: 12, prefix: userPrefix)
  }
  private static let userPrefix: Bytes = [0x75, 0x73, 0x65, 0x72]

  /// A number as `digits` decimal digits, so that the order of keys is the order of numbers.
  public static func decimal(_ number: UInt64, digits: Int, prefix: Bytes = []) -> Bytes {
    var bytes = prefix
    bytes.append(contentsOf: Bytes(repeating: 0x30, count: digits))
    var rest = number
    var index = bytes.count
    while rest > 0 && index > prefix.count {
      index -= 1
      bytes[index] = 0x30 + UInt8(truncatingIfNeeded: rest % 10)
      rest /= 10
    }
    return bytes
  }

  /// The number that decimal digits say, or nil when they are anything else.
  public static func number(_ bytes: Bytes) -> UInt64? {
    if bytes.isEmpty || bytes.count > 19 { return nil }
    var number: UInt64 = 0
    var index = 0
    while index < bytes.count {
      let byte = bytes[index]
      if byte < 0x30 || byte > 0x39 { return nil }
      number = number * 10 + UInt64(byte - 0x30)
      index += 1
    }
    return number
  }

  /// A bijection that scatters neighbours (the finaliser of SplitMix64).
  public static func scramble(_ number: UInt64) -> UInt64 {
    var mixed = number &+ 0x9E37_79B9_7F4A_7C15
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }
}
