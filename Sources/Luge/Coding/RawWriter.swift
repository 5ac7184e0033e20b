/// Writes into memory that the caller sized beforehand: the redo ring, record memory.
///
/// Unsafe: holds a pointer without owning it. The creator guarantees that `limit` bytes at `base`
/// are writable, belong to nobody else and outlive the writer. Every write is checked against the limit.
@unsafe
struct RawWriter {
  private let base: UnsafeMutableRawPointer
  private let limit: Int
  private(set) var count = 0

  init(_ buffer: UnsafeMutableRawBufferPointer) {
    guard let start = buffer.baseAddress else {
      preconditionFailure("no memory to write to")
    }
    unsafe base = start
    unsafe limit = buffer.count
  }

  init(_ base: UnsafeMutableRawPointer, limit: Int) {
    unsafe self.base = base
    unsafe self.limit = limit
  }

  mutating func write(_ value: UInt8) {
    unsafe room(1)
    unsafe base.storeBytes(of: value, toByteOffset: count, as: UInt8.self)
    unsafe count += 1
  }

  mutating func write(_ value: UInt32) {
    unsafe room(4)
    unsafe base.storeBytes(of: value.littleEndian, toByteOffset: count, as: UInt32.self)
    unsafe count += 4
  }

  mutating func write(_ value: UInt64) {
    unsafe room(8)
    unsafe base.storeBytes(of: value.littleEndian, toByteOffset: count, as: UInt64.self)
    unsafe count += 8
  }

  @inline(__always)
  mutating func writeVarint(_ value: UInt64) {
    if value < 0x80 { return unsafe write(UInt8(truncatingIfNeeded: value)) }
    unsafe writeLongVarint(value)
  }

  private mutating func writeLongVarint(_ value: UInt64) {
    var rest = value
    while rest >= 0x80 {
      unsafe write(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    unsafe write(UInt8(truncatingIfNeeded: rest))
  }

  mutating func write(_ source: UnsafeRawBufferPointer) {
    let length = source.count
    unsafe room(length)
    if length > 0 {
      // Both are in bounds; the source is not this memory, which nobody else has.
      unsafe (base + count).copyMemory(from: source.baseAddress!, byteCount: length)
    }
    unsafe count += length
  }

  mutating func writeZeros(_ length: Int) {
    unsafe room(length)
    if length > 0 {
      unsafe (base + count).initializeMemory(as: UInt8.self, repeating: 0, count: length)
    }
    unsafe count += length
  }

  @inline(__always)
  private func room(_ length: Int) {
    unsafe precondition(length >= 0 && length <= limit - count, "write past the end of a buffer")
  }
}
