/// File names of segments: a prefix and a serial in sixteen lower-case hexadecimal digits.
enum SegmentName {
  private static let digits = Array("0123456789abcdef".utf8)

  static func make(_ prefix: String, _ serial: UInt64) -> String {
    var bytes = Array(prefix.utf8)
    var shift: UInt64 = 64
    while shift > 0 {
      shift -= 4
      bytes.append(digits[Int((serial >> shift) & 15)])
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  /// The serial of a name; nil for any name that `make` does not give.
  static func serial(_ prefix: String, _ name: String) -> UInt64? {
    let bytes = Array(name.utf8)
    let head = Array(prefix.utf8)
    guard bytes.count == head.count + 16, bytes.starts(with: head) else { return nil }
    var serial: UInt64 = 0
    var index = head.count
    while index < bytes.count {
      guard let digit = digits.firstIndex(of: bytes[index]) else { return nil }
      serial = serial << 4 | UInt64(digit)
      index += 1
    }
    return serial
  }
}
