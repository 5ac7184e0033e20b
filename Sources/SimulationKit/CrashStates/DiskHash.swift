internal import CPlatform

/// A sum of hashes, in any order; what was added can be taken away again.
struct ContentSum: Hashable {
  var low: UInt64 = 0
  var high: UInt64 = 0

  static func += (left: inout ContentSum, right: ContentSum) {
    left.low &+= right.low
    left.high &+= right.high
  }

  static func -= (left: inout ContentSum, right: ContentSum) {
    left.low &-= right.low
    left.high &-= right.high
  }

  /// The hash of one thing with a name of its own, from what it holds.
  func under(_ name: ContentSum, _ size: UInt64) -> ContentSum {
    var state = platform_hash128(low: name.low, high: name.high)
    state = platform_hash128_word(state, low)
    state = platform_hash128_word(state, high)
    state = platform_hash128_word(state, size)
    return ContentSum(low: state.low, high: state.high)
  }
}

/// The contents of a disk's files as sums over their sectors, kept while the files change: so a
/// change costs what it changes, and the hash of a disk with a few other sectors costs a few
/// additions.
///
/// A sector of zeros counts nothing, so holes cost nothing and are what they read as.
///
/// Safe: `scratch` holds one sector; hashes read one sector that the caller lends.
struct DiskHash {
  /// By slot of the file. Of the contents that the page cache has.
  private(set) var sums: [ContentSum] = []
  private let scratch = ChunkMemory(byteCount: DiskGeometry.sectorSize)

  init() {}

  /// Reads everything that the disk holds.
  init(_ disk: SimulatedDisk) {
    for inode in disk.inodes {
      guard let inode, !inode.isDirectory else { continue }
      add(inode, from: 0, to: inode.length)
    }
  }

  func sum(_ slot: Int) -> ContentSum { slot < sums.count ? sums[slot] : ContentSum() }

  /// A new file has taken the slot.
  mutating func clear(_ slot: Int) { if slot < sums.count { sums[slot] = ContentSum() } }

  /// Adds the sectors of a range as they are now.
  mutating func add(_ inode: Inode, from start: Int, to end: Int) {
    let range = sumOfRange(inode, start, end)
    grow(inode.slot)
    sums[inode.slot] += range
  }

  /// Takes away the sectors of a range as they are now, before they change.
  mutating func subtract(_ inode: Inode, from start: Int, to end: Int) {
    let range = sumOfRange(inode, start, end)
    grow(inode.slot)
    sums[inode.slot] -= range
  }

  private mutating func grow(_ slot: Int) {
    while sums.count <= slot { sums.append(ContentSum()) }
  }

  private func sumOfRange(_ inode: Inode, _ start: Int, _ end: Int) -> ContentSum {
    var sum = ContentSum()
    let size = DiskGeometry.sectorSize
    let perChunk = DiskGeometry.chunkSize / size
    var sector = start / size
    let last = min(DiskGeometry.sectors(upTo: end), inode.contents.chunkCount * perChunk)
    while sector < last {
      if !inode.contents.holdsBytes(at: sector * size, count: size) {
        sector = (sector / perChunk + 1) * perChunk
        continue
      }
      unsafe inode.contents.read(scratch.bytes, at: sector * size, count: size)
      unsafe sum += DiskHash.sector(sector, scratch.bytes)
      sector += 1
    }
    return sum
  }

  /// The hash of one sector's bytes at its place in a file.
  static func sector(_ number: Int, _ bytes: UnsafeRawPointer) -> ContentSum {
    if unsafe ChunkMemory.isZero(bytes, DiskGeometry.sectorSize) { return ContentSum() }
    let start = platform_hash128(low: UInt64(number), high: 0x5EC7)
    let hash = unsafe platform_hash128_bytes(start, bytes, DiskGeometry.sectorSize)
    return ContentSum(low: hash.low, high: hash.high)
  }
}
