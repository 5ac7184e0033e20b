internal import EngineKit
internal import HistoryKit

/// The keys and values of a program, and how they stand for places and numbers of a `SmallMap`.
///
/// Every write of a tape has a value of its own, so an answer says which write it saw.
struct ProgramWorld {
  /// Places of the default tree; the rest belong to the second one.
  static let split = 12
  /// Stands for bytes that nobody wrote.
  static let foreign = UInt16.max
  static let secondTree = "second"

  /// By number; 0 is absence.
  private(set) var values: [Bytes] = [[]]
  let usesSecondTree: Bool

  init(usesSecondTree: Bool) { self.usesSecondTree = usesSecondTree }

  var trees: [TreeName] { usesSecondTree ? [.default, ProgramWorld.secondTree] : [.default] }

  static func places(of tree: TreeName) -> Range<Int> {
    tree == .default ? 0..<split : split..<SmallMap.capacity
  }

  static func tree(of place: Int) -> TreeName { place < split ? .default : secondTree }

  /// "k" and two digits, so that their order is that of places.
  static func key(_ place: Int) -> Bytes {
    [0x6B, 0x30 + UInt8(place / 10), 0x30 + UInt8(place % 10)]
  }

  static func place(_ key: Bytes, in tree: TreeName) -> Int? {
    if key.count != 3 { return nil }
    let place = Int(key[1] &- 0x30) * 10 + Int(key[2] &- 0x30)
    return places(of: tree).contains(place) && ProgramWorld.key(place) == key ? place : nil
  }

  /// A value that nobody has written before, of `length` bytes: at least 8.
  mutating func newValue(length: Int) -> UInt16 {
    let number = values.count
    precondition(number < Int(ProgramWorld.foreign), "a tape has too many writes")
    values.append(Payload.value(tag: UInt64(number), length: length))
    return UInt16(number)
  }

  func bytes(_ number: UInt16) -> Bytes? { number == 0 ? nil : values[Int(number)] }

  func number(_ value: Bytes?) -> UInt16 {
    guard let value else { return 0 }
    if value.count < 8 { return ProgramWorld.foreign }
    let number = Int(value[6]) << 8 | Int(value[7])
    if number == 0 || number >= values.count || values[number] != value {
      return ProgramWorld.foreign
    }
    return UInt16(number)
  }

  /// What a scan showed. Nil where it holds a key of nobody, or is out of order.
  func writes(
    _ entries: [Entry], in tree: TreeName, backward: Bool
  ) -> [SmallMap.Write]? {
    var writes: [SmallMap.Write] = []
    for entry in entries {
      guard let place = ProgramWorld.place(entry.key, in: tree) else { return nil }
      if let last = writes.last, backward ? place >= last.place : place <= last.place {
        return nil
      }
      writes.append(SmallMap.Write(place, number(entry.value)))
    }
    return writes
  }
}
