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
    let bytes = name.utf8
    guard bytes.count == prefix.utf8.count + 16, bytes.starts(with: prefix.utf8) else { return nil }
    var serial: UInt64 = 0
    for byte in bytes.dropFirst(prefix.utf8.count) {
      let digit: UInt8
      switch byte {
      case UInt8(ascii: "0")...UInt8(ascii: "9"): digit = byte - UInt8(ascii: "0")
      case UInt8(ascii: "a")...UInt8(ascii: "f"): digit = byte - UInt8(ascii: "a") + 10
      default: return nil
      }
      serial = serial << 4 | UInt64(digit)
    }
    return serial
  }
}
