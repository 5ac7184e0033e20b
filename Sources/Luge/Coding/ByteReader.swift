/// Reads integers and bytes from memory whose contents nobody vouches for.
///
/// Every read is checked against the end and answers nil where it does not fit: never a trap,
/// whatever the bytes. After the first nil the position is where the failed read began.
///
/// Unsafe: the memory belongs to the caller and must outlive the reader and every slice taken.
@unsafe
struct ByteReader {
  private let buffer: UnsafeRawBufferPointer
  private(set) var position = 0

  init(_ buffer: UnsafeRawBufferPointer) { unsafe self.buffer = buffer }

  var remaining: Int { unsafe buffer.count - position }

  var isAtEnd: Bool { unsafe position == buffer.count }

  mutating func readUInt8() -> UInt8? {
    guard unsafe remaining >= 1 else { return nil }
    let value = unsafe buffer[position]
    unsafe position += 1
    return value
  }

  mutating func readUInt16() -> UInt16? {
    guard unsafe remaining >= 2 else { return nil }
    let value = unsafe buffer.loadUnaligned(fromByteOffset: position, as: UInt16.self)
    unsafe position += 2
    return UInt16(littleEndian: value)
  }

  mutating func readUInt32() -> UInt32? {
    guard unsafe remaining >= 4 else { return nil }
    let value = unsafe buffer.loadUnaligned(fromByteOffset: position, as: UInt32.self)
    unsafe position += 4
    return UInt32(littleEndian: value)
  }

  mutating func readUInt64() -> UInt64? {
    guard unsafe remaining >= 8 else { return nil }
    let value = unsafe buffer.loadUnaligned(fromByteOffset: position, as: UInt64.self)
    unsafe position += 8
    return UInt64(littleEndian: value)
  }

  /// Nil also for a varint above 64 bits or longer than it need be: each value has one encoding.
  mutating func readVarint() -> UInt64? {
    var value: UInt64 = 0
    var index = unsafe position
    let end = unsafe buffer.count
    var shift: UInt64 = 0
    while index < end {
      let byte = unsafe buffer[index]
      index += 1
      if shift == 63 && byte > 1 { return nil }
      value |= UInt64(byte & 0x7F) << shift
      if byte & 0x80 == 0 {
        if byte == 0 && shift > 0 { return nil }
        unsafe position = index
        return value
      }
      shift += 7
    }
    return nil
  }

  /// The next `count` bytes, not copied.
  mutating func readSlice(_ count: Int) -> UnsafeRawBufferPointer? {
    guard count >= 0, unsafe count <= remaining else { return nil }
    let start = unsafe position
    unsafe position += count
    return unsafe UnsafeRawBufferPointer(rebasing: buffer[start..<start + count])
  }

  /// What was read since a former position.
  func slice(from start: Int) -> UnsafeRawBufferPointer {
    unsafe UnsafeRawBufferPointer(rebasing: buffer[start..<position])
  }

  /// A varint length, then that many bytes, not copied.
  mutating func readCounted() -> UnsafeRawBufferPointer? {
    let start = unsafe position
    guard let count = unsafe readVarint() else { return nil }
    guard unsafe count <= UInt64(remaining) else {
      unsafe position = start
      return nil
    }
    return unsafe readSlice(Int(count))
  }
}
