internal import Platform

/// The file of a call log.
///
/// | offset | bytes | what |
/// |---|---|---|
/// | 0 | 8 | "LUGECALL" |
/// | 8 | 4 | version of the format: 1 |
/// | 12 | 4 | CRC-32C of the bytes before |
/// | 16 | | records, one behind the other |
///
/// A record:
///
/// | offset | bytes | what |
/// |---|---|---|
/// | 0 | 4 | length n of the payload |
/// | 4 | 4 | CRC-32C of the bytes from 8 on, seeded with n |
/// | 8 | 1 | kind |
/// | 9 | n | payload |
///
/// Numbers are little-endian. *Text* and *bytes* are a length of 4 bytes and so many bytes; an
/// *optional* is a byte, 0 or 1, and what follows 1; a *list* is a count of 4 bytes and its
/// elements. Payloads by kind:
///
/// | kind | what | payload |
/// |---|---|---|
/// | 1 | open | handle 4, text path, creates 1 |
/// | 2 | close | handle 4 |
/// | 3 | create directory | text path |
/// | 4 | write | handle 4, offset 8, bytes |
/// | 5 | truncate | handle 4, length 8 |
/// | 6 / 7 | allocate / punch hole | handle 4, offset 8, length 8 |
/// | 8 | rename | text path, text new path |
/// | 9 / 10 | remove / remove directory | text path |
/// | 11 | sync began | number 4, handle 4, full 1 |
/// | 12 | directory sync began | number 4, text path |
/// | 13 | sync ended | number 4, succeeded 1 |
/// | 14 | settled | |
/// | 20 | subject | text engine, text directory, automatic 1, segment 8, optional page segment 8, page 8, optional flush interval 8, checkpoint interval 8, memory 8, compression 1 |
/// | 21 | operation began | call 8, client 4, operation |
/// | 22 | operation ended | call 8, outcome |
/// | 23 | opened | |
/// | 24 | recovered | list of trees: text name, list of entries: bytes key, bytes value |
/// | 25 / 26 | closed / crashed | |
///
/// Compression: 0 where the engine chooses, else one more than the place of the case in `DataCompression`.
/// Operations and outcomes begin with a byte; see `CallLogEncoder+Operations`.
///
/// The file may end anywhere: a record that it does not hold whole is a torn tail, and the log ends
/// before it. Anything else that cannot be read is damage.
enum CallLogFormat {
  static let magic: [UInt8] = [0x4C, 0x55, 0x47, 0x45, 0x43, 0x41, 0x4C, 0x4C]
  static let version: UInt32 = 1
  static let headerBytes = 16
  static let recordHead = 9
  static let largestPayload = 1 << 28

  enum Kind {
    static let open: UInt8 = 1
    static let close: UInt8 = 2
    static let createDirectory: UInt8 = 3
    static let write: UInt8 = 4
    static let truncate: UInt8 = 5
    static let allocate: UInt8 = 6
    static let punchHole: UInt8 = 7
    static let rename: UInt8 = 8
    static let remove: UInt8 = 9
    static let removeDirectory: UInt8 = 10
    static let syncBegan: UInt8 = 11
    static let directorySyncBegan: UInt8 = 12
    static let syncEnded: UInt8 = 13
    static let settled: UInt8 = 14
    static let subject: UInt8 = 20
    static let began: UInt8 = 21
    static let ended: UInt8 = 22
    static let opened: UInt8 = 23
    static let recovered: UInt8 = 24
    static let closed: UInt8 = 25
    static let crashed: UInt8 = 26
  }

  static var header: [UInt8] {
    var encoder = CallLogEncoder()
    encoder.raw(magic)
    encoder.number(version)
    encoder.number(CallLogFormat.checksum(encoder.bytes[...], seed: 0))
    return encoder.bytes
  }

  static func checksum(_ bytes: ArraySlice<UInt8>, seed: UInt32) -> UInt32 {
    // The slice is alive during the call, and every byte of it is initialised.
    unsafe bytes.withUnsafeBytes { unsafe crc32c($0, seed: seed) }
  }
}
