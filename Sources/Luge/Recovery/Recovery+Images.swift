import Platform

// What the superblock names: the list of chunks, and the table of live bytes.

extension Recovery {
  /// Images of chunks that are read side by side.
  private static let chunksARound = 32

  /// The list of chunks, and what it takes: the records that it and the segment table are in.
  func readList() throws(LugeError) -> (list: [ChunkEntry], records: [PagePart]) {
    let root = part(superblock.directoryAddress, superblock.directoryBytes)
    guard let root else { return ([], []) }
    let payload = try pages.read(root, .directory).payload
    guard let parts = ChunkList.decodeRoot(payload) else {
      throw damage("the root of the list of chunks cannot be decoded", root.address)
    }
    var list: [ChunkEntry] = []
    var index = 0
    for record in try pages.read(parts, .directory) {
      guard let entries = ChunkList.decode(record.payload),
        isInOrder(list.last, entries.first)
      else { throw damage("a part of the list of chunks cannot be decoded", parts[index].address) }
      list.append(contentsOf: entries)
      index += 1
    }
    let records = parts + tableRecord() + [root]
    try adoptTable(list, records)
    return (list, records)
  }

  private func isInOrder(_ last: ChunkEntry?, _ next: ChunkEntry?) -> Bool {
    guard let last, let next else { return true }
    if last.tree != next.tree { return last.tree < next.tree }
    return compareKeys(last.low, next.low) < 0
  }

  private func part(_ address: UInt64, _ length: UInt64) -> PagePart? {
    address == 0
      ? nil : PagePart(address: PageAddress(rawValue: address), length: Int(clamping: length))
  }

  private func tableRecord() -> [PagePart] {
    part(superblock.tableAddress, superblock.tableBytes).map { record in [record] } ?? []
  }

  /// What is live in each segment. The table that a checkpoint wrote while others evicted or moved
  /// pages may count too much; only the last one before a close is known to be exact. Else what the
  /// chunks name is counted: reading their images costs little, some kilobytes for hundreds of pages.
  private func adoptTable(_ list: [ChunkEntry], _ records: [PagePart]) throws(LugeError) {
    guard let record = tableRecord().first else { return }
    guard var table = SegmentBytes.decode(try pages.read(record, .segmentTable).payload) else {
      throw damage("the segment table cannot be decoded", record.address)
    }
    table.add(record)
    if let root = part(superblock.directoryAddress, superblock.directoryBytes) { table.add(root) }
    if !superblock.wasClosed {
      if let counted = try count(list, records) {
        probe("recovery.bytesCounted")
        table = counted
      } else {
        _ = pages.counters.chunksUncounted.fetchAdd(1)
      }
    }
    try pages.adopt(table)
  }

  /// Nil when a chunk's image is damaged: whoever needs the chunk is told. On the way, what would make pages
  /// too large is set aside.
  private func count(
    _ list: [ChunkEntry], _ records: [PagePart]
  ) throws(LugeError) -> SegmentBytes? {
    var table = SegmentBytes()
    var isWhole = true
    for record in records { table.add(record) }
    var first = 0
    while first < list.count {
      let some = list[first..<min(first + Self.chunksARound, list.count)].map { $0.image }
      do throws(LugeError) {
        for record in try pages.read(some, .chunk) {
          guard let image = ChunkImage.decode(record.payload) else {
            isWhole = false
            continue
          }
          for page in image.pages {
            for part in page.parts { table.add(part) }
          }
          setAsideTooMuch(image)
        }
      } catch {
        if error.code != .corruption { throw error }
        isWhole = false
      }
      for part in some { table.add(part) }
      first += some.count
    }
    return isWhole ? table : nil
  }

  /// What a page lacks is put into its leaf at once when it comes into memory, unless that is more
  /// than a leaf should have.
  private func setAsideTooMuch(_ image: ChunkImage) {
    let pending = redo.harvest.pending
    guard let place = pending.place(of: image.tree) else { return }
    let longest = pending.longest(place)
    var index = 0
    while index < image.pages.count {
      let page = image.pages[index]
      index += 1
      let high = index < image.pages.count ? image.pages[index].low : image.high
      let range = pending.range(place, page.low, high)
      if range.count <= context.settings.leafEntries
        && range.count * longest <= context.settings.leafBytes
      {
        continue
      }
      var (count, bytes) = (0, 0)
      for operation in range {
        let record = pending.record(place, operation)
        if record.lsn < page.lsn { continue }
        count += 1
        bytes += record.count
      }
      if count > context.settings.leafEntries || bytes > context.settings.leafBytes {
        probe("recovery.setAside")
        pending.setAside(place, range)
      }
    }
  }

  func makeTrees(_ list: [ChunkEntry]) throws(LugeError) {
    var first = 0
    while first < list.count {
      let id = list[first].tree
      guard list[first].low.isEmpty else {
        throw damage("the first chunk of tree \(id) is missing", list[first].image.address)
      }
      var end = first
      while end < list.count && list[end].tree == id { end += 1 }
      let chunks = list[first..<end].map { entry in (entry.low, entry.image, entry.entries) }
      add(try BLinkTree(id: id, context: context, chunks: chunks))
      treesOnDisk.append(id)
      first = end
    }
  }

  func damage(_ what: String, _ address: PageAddress) -> LugeError {
    LugeError(
      .corruption, what, path: pages.path(address.serial), offset: Int64(address.offset))
  }
}
