/// Makes histories of one register as right clients of a right register leave them, to measure and test
/// checkers with: every write has a value of its own.
///
/// Everything is drawn from the seed, in integers: the same arguments make the same history.
public struct HistoryMaker: Sequence, IteratorProtocol {
  /// One line of a history.
  public struct Line: Equatable, Sendable {
    public enum Kind: String, Sendable { case invoke, ok, info }
    public enum Operation: Equatable, Sendable {
      /// What was found, where it is told; 0 is what was there at the start.
      case read(Int?)
      case write(Int)
      case exchange(expected: Int, desired: Int)
      /// A compare-exchange that found something else.
      case refused(expected: Int, desired: Int, found: Int)
    }
    public var kind: Kind
    public var process: Int
    public var operation: Operation
  }

  private struct Client {
    var process: Int
    var operation = Line.Operation.read(nil)
    var isBusy = false
    /// It has taken effect.
    var isDone = false
    /// Its outcome stays unknown.
    var isLost = false
  }

  private let operations: Int
  private let overlap: Int
  private var clients: [Client]
  private var nextProcess: Int
  private var random: UInt64
  private var lostLeft: Int
  private let isWrong: Bool
  private var wrongAt: Int

  private var begun = 0
  private var busy = 0
  private var state = 0
  private var nextValue = 1
  /// Values that were replaced long ago, for sure.
  private var stale: Int?
  private var formerState = 0
  private var formerAge = 0

  /// - Parameters:
  ///   - clients: at least 1.
  ///   - operations: of all clients.
  ///   - unknown: how many of them have an unknown outcome.
  ///   - overlap: how many are under way at once on average, at most as many as clients.
  ///   - isWrong: in the last tenth, one read finds a value that was replaced long before.
  public init(
    clients: Int, operations: Int, unknown: Int, overlap: Int, seed: UInt64, isWrong: Bool
  ) {
    let count = Swift.max(1, clients)
    self.clients = (0..<count).map { Client(process: $0) }
    nextProcess = count
    self.operations = operations
    self.overlap = Swift.max(1, Swift.min(overlap, count))
    self.isWrong = isWrong
    lostLeft = unknown
    random = seed &* 0x9E37_79B9_7F4A_7C15 | 1
    wrongAt = operations - operations / 10 + operations / 20
  }

  private mutating func draw(_ bound: Int) -> Int {
    random ^= random << 13
    random ^= random >> 7
    random ^= random << 17
    return Int(random >> 33) % bound
  }

  public mutating func next() -> Line? {
    while true {
      if begun == operations && busy == 0 { return nil }
      let number = draw(clients.count)
      if !clients[number].isBusy {
        // As many begin as end when as many are busy as are to be.
        let begins = begun < operations && busy < overlap || (busy == overlap && draw(2) == 0)
        if begins && begun < operations { return begin(number) }
      } else if !clients[number].isDone {
        takeEffect(number)
      } else if busy >= overlap || begun == operations || draw(2) == 0 {
        return end(number)
      }
    }
  }

  private mutating func begin(_ number: Int) -> Line {
    begun += 1
    busy += 1
    clients[number].isBusy = true
    clients[number].isDone = false
    clients[number].isLost = lostLeft > 0 && draw(Swift.max(1, operations - begun + 1)) < lostLeft
    if clients[number].isLost { lostLeft -= 1 }
    switch draw(10) {
    case 0...4: clients[number].operation = .read(nil)
    case 5...8:
      clients[number].operation = .write(nextValue)
      nextValue += 1
    default:
      clients[number].operation = .exchange(expected: state, desired: nextValue)
      nextValue += 1
    }
    return Line(
      kind: .invoke, process: clients[number].process, operation: clients[number].operation)
  }

  private mutating func takeEffect(_ number: Int) {
    clients[number].isDone = true
    // Of the lost every second one has never happened.
    if clients[number].isLost && draw(2) == 0 { return }
    switch clients[number].operation {
    case .read: clients[number].operation = .read(state)
    case .write(let value): replace(value)
    case .exchange(let expected, let desired):
      if state == expected {
        replace(desired)
      } else if !clients[number].isLost {
        clients[number].operation = .refused(expected: expected, desired: desired, found: state)
      }
    case .refused: break
    }
  }

  private mutating func replace(_ value: Int) {
    // What was there so long ago was replaced by one that has returned since, as nobody is that slow twice over.
    let age = Swift.max(2 * clients.count, Swift.min(40 * clients.count, operations / 8))
    if begun - formerAge > age {
      if formerAge > 0 { stale = formerState }
      formerState = state
      formerAge = begun
    }
    state = value
  }

  private mutating func end(_ number: Int) -> Line {
    busy -= 1
    clients[number].isBusy = false
    let process = clients[number].process
    var operation = clients[number].operation
    if clients[number].isLost {
      // A process that does not know goes on under another name.
      clients[number].process = nextProcess
      nextProcess += 1
      if case .read = operation { operation = .read(nil) }
      return Line(kind: .info, process: process, operation: operation)
    }
    if isWrong, begun >= wrongAt, wrongAt >= 0, case .read = operation, let stale {
      wrongAt = .max
      operation = .read(stale)
    }
    return Line(kind: .ok, process: process, operation: operation)
  }
}
