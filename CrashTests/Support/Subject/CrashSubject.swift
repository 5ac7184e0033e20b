public import EngineKit
public import HistoryKit

/// What one program of CrashTests does to an engine until it is killed.
///
/// To add one: copy the shortest folder beside Support, and add its name to the list in Package.swift.
public protocol CrashSubject: Sendable {
  /// As in `crash-batches`, without "crash-".
  var name: String { get }

  /// One line: what it does.
  var summary: String { get }

  /// What the engine must have for this subject to make sense.
  var requiredCapabilities: EngineCapabilities { get }

  /// Threads that work at once, where the engine takes concurrent ones.
  var clients: Int { get }

  /// How often the operations come that belong to every subject.
  var pace: CrashPace { get }

  /// Changes what is drawn once for each directory.
  func adjust(_ settings: inout EngineSettings, _ draw: inout CrashDraw)

  /// The operation with this number of a client. It may depend on nothing else: the supervisor makes it
  /// again from the number, to know what should be there.
  func operation(_ client: CrashClient, _ draw: inout CrashDraw) -> Operation

  /// What must hold of the contents besides what holds of every engine; what does not, as sentences.
  func problems(in state: RecoveredState) -> [String]
}

extension CrashSubject {
  public var requiredCapabilities: EngineCapabilities { [] }
  public var clients: Int { 3 }
  public var pace: CrashPace { CrashPace() }
  public func adjust(_ settings: inout EngineSettings, _ draw: inout CrashDraw) {}
  public func problems(in state: RecoveredState) -> [String] { [] }
}

/// One of so many operations is a flush, a checkpoint (of the first client), takes something out of memory, moves what
/// is live out of storage that is mostly dead.
public struct CrashPace: Sendable {
  public var flush: Int
  public var checkpoint: Int
  public var evict: Int
  public var clean: Int

  public init(flush: Int = 48, checkpoint: Int = 160, evict: Int = 200, clean: Int = 400) {
    self.flush = flush
    self.checkpoint = checkpoint
    self.evict = evict
    self.clean = clean
  }
}

/// Who makes an operation, and which of its operations it is.
public struct CrashClient: Sendable {
  /// 0, 1, 2 ...
  public let index: Int
  /// Of how many.
  public let count: Int
  /// The operation's number in this life of the process, from 0.
  public let number: Int
  /// The life of the process, from 0, over the whole run.
  public let life: Int
  public let capabilities: EngineCapabilities

  /// A key that this client alone writes.
  public func key(_ number: Int) -> Bytes {
    var key: Bytes = [Self.firstOwner + UInt8(index)]
    key.appendDigits(number, 5)
    return key
  }

  /// A key that all clients write.
  public func sharedKey(_ number: Int) -> Bytes {
    var key: Bytes = [Self.sharedPrefix]
    key.appendDigits(number, 5)
    return key
  }

  /// A value like no other: from 16 bytes on its ends say whose it is, and filler of one byte lies between.
  public func value(_ length: Int) -> Bytes { value(length, part: 0) }

  /// The same, where one operation needs several; parts below 256.
  public func value(_ length: Int, part: Int) -> Bytes {
    CrashValue.make(life: life, client: index, number: number, part: part, length: length)
  }

  /// The client whose key it is alone; nil for one that all write.
  static func owner(of key: Bytes) -> Int? {
    guard let first = key.first, first >= firstOwner, first < firstOwner + 16 else { return nil }
    return Int(first - firstOwner)
  }

  /// The number that `key` or `sharedKey` made the key from.
  public static func number(of key: Bytes) -> Int? {
    guard key.count == 6 else { return nil }
    var number = 0
    for byte in key.dropFirst() {
      guard byte >= 0x30, byte <= 0x39 else { return nil }
      number = number * 10 + Int(byte - 0x30)
    }
    return number
  }

  /// With which the keys begin that all clients write.
  public static let sharedPrefix: UInt8 = 0x73
  private static let firstOwner: UInt8 = 0x61
}

extension Bytes {
  /// So that the order of keys is the order of numbers.
  mutating func appendDigits(_ number: Int, _ digits: Int) {
    var place = digits
    var divisor = 1
    while place > 1 {
      divisor *= 10
      place -= 1
    }
    while divisor > 0 {
      append(0x30 + UInt8(number / divisor % 10))
      divisor /= 10
    }
  }
}
