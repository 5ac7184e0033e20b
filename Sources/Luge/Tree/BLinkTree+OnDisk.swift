internal import Platform

// What a quiet tree has on disk.

/// A chunk's records in page segments.
struct ChunkOnDisk {
  /// Nil when there is none. It may be out of date.
  let image: PagePart?
  /// Those pages that have parts, in key order.
  let pages: [ChunkPage]
  /// Of pages in memory, what their versions name in value segments; of the others, see `pages`.
  var resident: [ValueOnDisk] = []
  /// Low keys of the pages in memory that have parts, ascending.
  var residentLows: [[UInt8]] = []

  /// Bytes of all records in value segments that are named.
  var values: SegmentBytes {
    var table = SegmentBytes()
    for value in resident { table.add(value.part) }
    for page in pages where !isResident(page) { table.add(page.values) }
    return table
  }

  /// Whether the page's versions are in memory, and count instead of its image.
  func isResident(_ page: ChunkPage) -> Bool {
    var low = 0
    var high = residentLows.count
    while low < high {
      let middle = (low + high) / 2
      if compareKeys(residentLows[middle], page.low) < 0 { low = middle + 1 } else { high = middle }
    }
    return low < residentLows.count && residentLows[low] == page.low
  }
}

/// A value that lies apart, and its key.
struct ValueOnDisk {
  let key: [UInt8]
  let reference: ValueReference
  var part: PagePart { reference.part(key: key.count) }
}

extension BLinkTree {
  /// Gives back what the tree has on disk. No operation runs any more, `destroy` comes next. What
  /// cannot be read now stays until its segment is cleaned.
  func releaseParts() throws(LugeError) {
    try waitForLoads()
    var index = 0
    while true {
      var parts: [PagePart] = []
      var values = SegmentBytes()
      do throws(LugeError) {
        guard let chunk = try onDisk(chunk: index) else { return }
        if let image = chunk.image { parts.append(image) }
        for page in chunk.pages { parts.append(contentsOf: page.parts) }
        values = chunk.values
      } catch {
        if error.code == .killed { throw error }
        _ = context.pages.counters.chunksUncounted.fetchAdd(1)
        _ = context.values.counters.chunksUncounted.fetchAdd(1)
      }
      index += 1
      try context.pages.release(parts)
      try context.values.release(values, at: context.log.tail)
    }
  }

  /// What the chunk at an index has on disk; reads the image of one that is not in memory. Nil: there
  /// is no such chunk.
  func onDisk(chunk index: Int) throws(LugeError) -> ChunkOnDisk? {
    guard let (image, known) = try descriptors(ofChunk: index) else { return nil }
    if let known { return known }
    guard let image else { preconditionFailure("an evicted chunk has an image") }
    return ChunkOnDisk(image: image, pages: try readImage(image).pages)
  }

  private func descriptors(
    ofChunk index: Int
  ) throws(LugeError) -> (image: PagePart?, chunk: ChunkOnDisk?)? {
    let pin = try context.epochs.pin()
    defer { pin.end() }
    if self.root.load() == 0 { return nil }
    let root = Branch(address: self.root.load())
    if index >= root.count { return nil }
    let chunk = Chunk(address: root.node(index))
    let image = chunk.image?.part(0)
    if !ChunkWord.hasBranch(chunk.word.load()) { return (image, nil) }
    let end: ByteView? = index + 1 < root.count ? root.low(index + 1) : nil
    var pages: [ChunkPage] = []
    var resident: [ValueOnDisk] = []
    var lows: [[UInt8]] = []
    for page in BLinkTree.pages(of: chunk, end: end) {
      let leaf = page.leaf
      if let leaf { BLinkTree.collectValues(leaf, &resident) }
      guard let parts = page.parts else { continue }
      if leaf != nil { lows.append(page.low.copy()) }
      pages.append(
        ChunkPage(
          low: page.low.copy(), lsn: parts.lsn, entries: parts.entries, parts: parts.copy(),
          values: parts.values))
    }
    return (
      image, ChunkOnDisk(image: image, pages: pages, resident: resident, residentLows: lows)
    )
  }

  /// What the committed versions of a quiet leaf name in value segments. Pinned.
  private static func collectValues(_ leaf: Leaf, _ values: inout [ValueOnDisk]) {
    var index = 0
    while index < leaf.wordCount {
      var address = Leaf.record(leaf.word(index).load())
      while address != 0 {
        let record = Record(address: address)
        if record.isReference,
          VersionWord.state(record.version.load()) == VersionWord.committed
        {
          values.append(ValueOnDisk(key: record.key.copy(), reference: record.reference))
        }
        address = record.beneath
      }
      index += 1
    }
  }
}
