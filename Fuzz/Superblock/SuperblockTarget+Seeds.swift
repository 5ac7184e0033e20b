@testable import Luge

// Inputs to begin with: one of each head, sound.
extension SuperblockTarget {
  func seeds() -> [[UInt8]] {
    var block = Superblock()
    block.sequence = 3
    block.redoSegmentPayload = 16 << 10
    block.pageSegmentBytes = 16 << 10
    block.valueSegmentBytes = 32 << 10
    block.pageTargetBytes = 512
    block.recoveryLSN = 8192
    block.durableLSN = 12288
    block.eras = [RedoEra(incarnation: 1, start: 4096), RedoEra(incarnation: 4, start: 8192)]
    block.directoryAddress = 1 << 32 | 4096
    block.directoryBytes = 40
    block.nextPageSerial = 2
    block.idsReserved = 1
    block.nextTreeID = 16
    let header = RedoSegmentHeader(
      serial: 3, incarnation: 1, base: 4096, payloadBytes: 16 << 10, superblockSequence: 2)
    // Zeros are put behind.
    let copy = Array(block.encoded().prefix(230))
    var seeds: [[UInt8]] = [[0] + copy, [1] + header.encoded()]
    for (mode, family) in [(UInt8(2), SegmentFamily.pages), (0x42, .values)] {
      seeds.append([mode] + PageFormat.segmentHeader(family, serial: 7).prefix(32))
    }
    var file = InputWriter()
    file.append([3, 0b0111, 0])
    for _ in 0..<3 { file.counted(Array(copy.prefix(200))) }
    seeds.append(file.bytes)
    for prefix in ["redo-", "page-", "value-"] {
      seeds.append([4] + Array(SegmentName.make(prefix, 0x1F).utf8))
    }
    return seeds
  }
}
