/// What is known of the memory that the threads of a simulated process share: which blocks are in use,
/// and which places were freed and not used since. An engine tells through Platform's memory seam.
///
/// Places are looked up by granules of 16 bytes, in bitmaps of 64 KiB each. Addresses decide nothing that
/// a trace or a report shows.
///
/// Invariants:
/// - A granule's bit is set if and only if it belongs to a block that was freed and neither allocated
///   again nor given back.
/// - `live` holds the blocks allocated and not freed.
struct SharedMemory {
  /// A block, and who did the last thing to it.
  struct Block: Equatable {
    var address: UInt
    var bytes: Int
    var thread: UInt64
    var call: UInt64
    /// The last place that the thread named.
    var place: StaticString

    static func == (left: Block, right: Block) -> Bool {
      left.address == right.address && left.bytes == right.bytes && left.call == right.call
    }
  }

  private static let granule: UInt = 16
  private static let region: UInt = 1 << 16
  private static let words = Int(region / granule) / 64

  /// By place in `bits`; the regions' numbers, in order of first use.
  private var regions: [UInt] = []
  private var bits: [[UInt64]] = []
  /// Looked up only.
  private var placeOfRegion: [UInt: Int] = [:]
  private var lastRegion: UInt = .max
  private var lastPlace = 0

  /// Looked up only, but for the leak report, which takes the oldest.
  private var live: [UInt: Block] = [:]
  /// Frees, oldest first.
  private var freed: [Block] = []
  /// Freed allocations that are kept from being used again.
  private(set) var kept: [UInt] = []
  /// Freed blocks are not used again.
  var keepsFreed = false

  private static let mostFreed = 1 << 14

  mutating func allocate(_ block: Block) {
    mark(block.address, block.bytes, false)
    live[block.address] = block
  }

  /// True when the block must not be used again.
  mutating func free(_ block: Block, isOwn: Bool) -> Bool {
    live[block.address] = nil
    let keeps = keepsFreed || !isOwn
    // An allocation that goes back to the system at once may turn up as anything.
    if keeps { mark(block.address, block.bytes, true) }
    if freed.count == SharedMemory.mostFreed { freed.removeFirst(SharedMemory.mostFreed / 2) }
    freed.append(block)
    if keepsFreed && isOwn { kept.append(block.address) }
    return keepsFreed
  }

  mutating func forget(_ address: UInt, _ bytes: Int) { mark(address, bytes, false) }

  /// The block that was freed here, if the place is free.
  @inline(__always)
  mutating func freedBlock(at address: UInt) -> Block? {
    if regions.isEmpty || !isFree(address) { return nil }
    return freed.last { address >= $0.address && address - $0.address < UInt($0.bytes) }
      ?? Block(address: address, bytes: 0, thread: 0, call: 0, place: "")
  }

  /// Blocks never freed: how many, their bytes, and the oldest.
  var leaks: (count: Int, bytes: Int, oldest: Block)? {
    var bytes = 0
    var oldest: Block?
    // tidy: allow hashed order: a sum, and the least by call and address
    for block in live.values {
      bytes += block.bytes
      if let known = oldest, (known.call, known.address) < (block.call, block.address) { continue }
      oldest = block
    }
    return oldest.map { (live.count, bytes, $0) }
  }

  private mutating func isFree(_ address: UInt) -> Bool {
    guard let place = find(address / SharedMemory.region) else { return false }
    let granule = Int(address % SharedMemory.region / SharedMemory.granule)
    return bits[place][granule / 64] & 1 << UInt64(granule % 64) != 0
  }

  private mutating func find(_ region: UInt) -> Int? {
    if region == lastRegion { return lastPlace }
    guard let place = placeOfRegion[region] else { return nil }
    (lastRegion, lastPlace) = (region, place)
    return place
  }

  private mutating func mark(_ address: UInt, _ bytes: Int, _ isFree: Bool) {
    var at = address / SharedMemory.granule
    let end = (address + UInt(max(bytes, 1)) + SharedMemory.granule - 1) / SharedMemory.granule
    let perRegion = SharedMemory.region / SharedMemory.granule
    while at < end {
      let region = at / perRegion
      let stop = min(end, (region + 1) * perRegion)
      guard let place = find(region) ?? (isFree ? add(region) : nil) else {
        at = stop
        continue
      }
      while at < stop {
        let granule = Int(at % perRegion)
        // A word of bits at a time.
        let count = min(Int(stop - at), 64 - granule % 64)
        let mask: UInt64 = (UInt64.max &>> UInt64(64 - count)) &<< UInt64(granule % 64)
        if isFree { bits[place][granule / 64] |= mask } else { bits[place][granule / 64] &= ~mask }
        at += UInt(count)
      }
    }
  }

  private mutating func add(_ region: UInt) -> Int {
    let place = regions.count
    regions.append(region)
    bits.append([UInt64](repeating: 0, count: SharedMemory.words))
    placeOfRegion[region] = place
    return place
  }
}
