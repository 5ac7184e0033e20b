internal import Platform

/// What a child tells its supervisor: a head of 24 bytes, all numbers little-endian, and text or bytes where the kind
/// has some.
///
/// | offset | bytes | what |
/// |---|---|---|
/// | 0 | 1 | kind |
/// | 1 | 1 | client |
/// | 2 | 1 | flag |
/// | 3 | 1 | 0 |
/// | 4 | 4 | bytes that follow the head |
/// | 8 | 8 | number |
/// | 16 | 8 | word |
struct Report {
  enum Kind: UInt8 {
    /// The child enters a phase: the number says which.
    case phase = 1
    /// A client is about to make its operation of this number.
    case asked
    /// It returned success: the word is an id, the flag what an exchange or the removal of a tree answered.
    case done
    /// It failed: the text says how.
    case failed
    /// An answer was wrong: the text says which.
    case wrong
    /// Opening or closing failed: the text says how.
    case refused
    /// Of the contents: a tree, by name; the entries that follow are its own.
    case tree
    /// An entry: the number of bytes of its key, then key and value.
    case entry
    /// One finding of the engine about itself.
    case finding
    /// Bytes on disk once everything was removed.
    case space
  }

  static let head = 24
  /// Of a report that must arrive in one piece.
  static let most = 4096

  var kind: Kind
  var client = 0
  var flag = false
  var number = 0
  var word: UInt64 = 0
  var body: [UInt8] = []

  var text: String { String(decoding: body, as: UTF8.self) }

  init(_ kind: Kind, client: Int = 0, number: Int = 0) {
    self.kind = kind
    self.client = client
    self.number = number
  }

  init(_ kind: Kind, client: Int = 0, number: Int = 0, text: String) {
    self.init(kind, client: client, number: number)
    body = Array(text.utf8.prefix(Self.most - Self.head))
  }

  func append(to bytes: inout [UInt8]) {
    bytes.append(kind.rawValue)
    bytes.append(UInt8(truncatingIfNeeded: client))
    bytes.append(flag ? 1 : 0)
    bytes.append(0)
    Self.append(UInt64(body.count), 4, to: &bytes)
    Self.append(UInt64(number), 8, to: &bytes)
    Self.append(word, 8, to: &bytes)
    bytes.append(contentsOf: body)
  }

  private static func append(_ word: UInt64, _ count: Int, to bytes: inout [UInt8]) {
    var place = 0
    while place < count {
      bytes.append(UInt8(truncatingIfNeeded: word >> UInt64(8 * place)))
      place += 1
    }
  }

  /// The report that begins at `start`; nil where it is not whole yet.
  init?(_ bytes: [UInt8], at start: Int) {
    guard start + Self.head <= bytes.count, let kind = Kind(rawValue: bytes[start]) else {
      return nil
    }
    func word(_ offset: Int, _ count: Int) -> UInt64 {
      var word: UInt64 = 0
      var place = count - 1
      while place >= 0 {
        word = word << 8 | UInt64(bytes[start + offset + place])
        place -= 1
      }
      return word
    }
    let length = Int(word(4, 4))
    guard start + Self.head + length <= bytes.count else { return nil }
    self.init(kind, client: Int(bytes[start + 1]), number: Int(truncatingIfNeeded: word(8, 8)))
    flag = bytes[start + 2] != 0
    self.word = word(16, 8)
    if length > 0 { body = Array(bytes[start + Self.head..<start + Self.head + length]) }
  }
}

/// Where a child stands. The order is that of a life.
enum Phase: Int {
  case starting
  case opening
  /// Open, and at work or being read.
  case open
  /// Everything was read; the child waits for what comes.
  case read
  case closing
  case closed
}
