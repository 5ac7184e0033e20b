import Testing

@testable import Luge

@Suite struct CodingTests {
  @Test func integersComeBack() {
    var writer = ByteWriter()
    writer.write(UInt8(0xAB))
    writer.write(UInt16(0x1234))
    writer.write(UInt32(0xDEAD_BEEF))
    writer.write(UInt64(0x0123_4567_89AB_CDEF))
    writer.writeCounted([1, 2, 3])
    #expect(writer.bytes[1] == 0x34, "little-endian")
    unsafe writer.bytes.raw { buffer in
      var reader = unsafe ByteReader(buffer)
      #expect(unsafe reader.readUInt8() == 0xAB)
      #expect(unsafe reader.readUInt16() == 0x1234)
      #expect(unsafe reader.readUInt32() == 0xDEAD_BEEF)
      #expect(unsafe reader.readUInt64() == 0x0123_4567_89AB_CDEF)
      #expect(unsafe reader.readCounted().map(Array.init) == [1, 2, 3])
      #expect(unsafe reader.isAtEnd)
      #expect(unsafe reader.readUInt8() == nil)
    }
  }

  @Test func varintsComeBackInTheirSize() {
    var values: [UInt64] = [0, 1, 127, 128, 16383, 16384, .max, .max - 1, 1 << 63]
    var shift: UInt64 = 1
    while shift < 64 {
      values.append(1 << shift)
      values.append((1 << shift) - 1)
      shift += 1
    }
    for value in values {
      var writer = ByteWriter()
      writer.writeVarint(value)
      #expect(writer.count == varintSize(value))
      unsafe writer.bytes.raw { buffer in
        var reader = unsafe ByteReader(buffer)
        #expect(unsafe reader.readVarint() == value)
        #expect(unsafe reader.isAtEnd)
      }
    }
  }

  @Test(
    arguments: [
      [0x80], [0x80, 0x00], [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x02],
      [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01], [],
    ] as [[UInt8]])
  func badVarintsAreRefused(bytes: [UInt8]) {
    unsafe bytes.raw { buffer in
      var reader = unsafe ByteReader(buffer)
      #expect(unsafe reader.readVarint() == nil)
      #expect(unsafe reader.position == 0)
    }
  }

  @Test func randomBytesNeverTrap() {
    var random = SplitMix(1)
    for _ in 0..<2000 {
      let bytes = random.bytes(random.below(40))
      unsafe bytes.raw { buffer in
        var reader = unsafe ByteReader(buffer)
        var last = -1
        while unsafe reader.position != last {
          unsafe last = reader.position
          switch random.below(5) {
          case 0: unsafe _ = reader.readUInt8()
          case 1: unsafe _ = reader.readUInt32()
          case 2: unsafe _ = reader.readUInt64()
          case 3: unsafe _ = reader.readVarint()
          default: unsafe _ = reader.readCounted()
          }
          #expect(unsafe reader.position <= buffer.count)
        }
      }
    }
  }

  @Test func segmentNamesComeBack() {
    #expect(SegmentName.make("redo-", 0x1F) == "redo-000000000000001f")
    for serial in [0, 1, 255, UInt64.max] {
      #expect(SegmentName.serial("page-", SegmentName.make("page-", serial)) == serial)
    }
    for name in [
      "", "redo-", "redo-1f", "redo-000000000000001F", "redo-000000000000001g",
      "page-000000000000001f", "redo-000000000000001f.new",
    ] { #expect(SegmentName.serial("redo-", name) == nil) }
  }
}
