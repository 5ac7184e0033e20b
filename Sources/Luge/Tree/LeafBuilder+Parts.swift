internal import Platform

extension LeafBuilder {
  /// A leaf out of what is on disk, and what is known of it. Its right page, if it has one, is in
  /// the index. Throws `.corruption`; then nothing is left behind. Pinned.
  ///
  /// - Parameter changes: what comes on top; with them the leaf is dirty.
  /// - Returns: the leaf, how many entries more than on disk it has, how many those are, and the records in
  ///   value segments that its image names and it does not.
  static func build(
    _ pin: Pin, _ decoder: inout LeafDecoder, _ loading: PageLoading, _ settings: TreeSettings,
    changes: PendingChanges? = nil, tree: UInt64 = 0, settledBelow: UInt64 = .max
  ) throws(LugeError) -> (leaf: Leaf, gain: Int, rows: Int, replaced: [PagePart]) {
    try check(decoder, loading)
    let isExact = EntryCount.isExact(loading.entries)
    // As many as the parts have in all, which they are bounded for.
    let entries = isExact ? loading.entries : decoder.mostEntries
    let changeCount = changes?.changes.count ?? 0
    let memory = UnsafeMutablePointer<UInt64>.allocate(capacity: 2 * entries + changeCount + 1)
    defer { unsafe memory.deallocate() }
    let records = unsafe memory + entries + changeCount
    var count = 0
    do throws(LugeError) {
      while try decoder.next() {
        if count == entries { throw LeafImage.damage("it has more entries than its chunk says") }
        // Versions on disk are older than anything that will be asked for: LSN 0 stands for all.
        let record =
          if let reference = decoder.reference {
            Record.build(
              pin, version: VersionWord.committed, key: decoder.key, reference: reference)
          } else {
            Record.build(
              pin, version: VersionWord.committed, key: decoder.key, value: decoder.value)
          }
        unsafe records[count] = record.address | (record.isReference ? 0 : Leaf.settled)
        count += 1
      }
      if isExact && count < entries {
        throw LeafImage.damage("it has fewer entries than its chunk says")
      }
    } catch {
      while count > 0 {
        count -= 1
        unsafe Record(address: Leaf.record(records[count])).free(pin)
      }
      throw error
    }
    var merged = unsafe MergedRecords(into: memory, records, count)
    if let changes { unsafe try merged.take(changes, tree: tree, pin) }
    // The decoder holds the high key until the builder has copied it.
    let leaf = unsafe build(
      pin, UnsafePointer(merged.all), count: merged.count, appendWords: settings.appendWords,
      high: decoder.hasHigh ? decoder.high : nil, right: 0, flags: Leaf.unused | merged.flags,
      settledBelow: settledBelow)
    return unsafe (leaf, merged.gain, count, merged.replaced)
  }

  /// Throws `.corruption` where the parts are not those that the chunk names.
  static func check(
    _ decoder: borrowing LeafDecoder, _ loading: PageLoading
  ) throws(LugeError) {
    guard decoder.lsn == loading.lsn, hasHigh(decoder, loading.high),
      !EntryCount.isExact(loading.entries) || loading.entries <= decoder.mostEntries
    else { throw LeafImage.damage("it is not the one that its chunk names") }
  }

  private static func hasHigh(_ decoder: borrowing LeafDecoder, _ high: [UInt8]?) -> Bool {
    guard let high else { return !decoder.hasHigh }
    // The array outlives the closure; nothing in it is kept.
    return unsafe high.withUnsafeBytes { unsafe decoder.hasHigh && decoder.high == ByteView($0) }
  }
}

/// The records of a page's image with the changes from the redo among them.
///
/// Safe: used by one function that owns the memory and the records.
@unsafe
private struct MergedRecords {
  /// Words in key order.
  private(set) var all: UnsafeMutablePointer<UInt64>
  private(set) var count: Int
  /// Entries more than the image has.
  private(set) var gain = 0
  private(set) var flags: UInt64 = 0
  /// In value segments: what the image names and the changes replace.
  private(set) var replaced: [PagePart] = []
  private let target: UnsafeMutablePointer<UInt64>

  /// - Parameter target: room for all words and all changes; it may reach up to where the words begin plus as many
  ///   as there are changes.
  init(
    into target: UnsafeMutablePointer<UInt64>, _ records: UnsafeMutablePointer<UInt64>, _ count: Int
  ) {
    unsafe self.target = target
    unsafe all = records
    unsafe self.count = count
  }

  /// On an error nothing is left of the records.
  mutating func take(
    _ changes: PendingChanges, tree: UInt64, _ pin: Pin
  ) throws(LugeError) {
    let (records, recordCount) = unsafe (all, count)
    var (next, filled, gain, changed) = (0, 0, 0, false)
    var replaced: [PagePart] = []
    let target = unsafe target
    do throws(LugeError) {
      try changes.forEach(tree: tree) { (lsn, key, value, reference) throws(LugeError) in
        while next < recordCount,
          ByteView.compare(Record(address: Leaf.record(unsafe records[next])).key, key) < 0
        {
          unsafe target[filled] = records[next]
          filled += 1
          next += 1
        }
        var wasPresent = false
        if next < recordCount {
          let former = Record(address: Leaf.record(unsafe records[next]))
          if former.key == key {
            wasPresent = true
            if former.isReference { replaced.append(former.reference.part(key: key.count)) }
            former.free(pin)
            next += 1
          }
        }
        let isPresent = value != nil || reference != nil
        if !isPresent && !wasPresent { return }
        changed = true
        gain += (isPresent ? 1 : 0) - (wasPresent ? 1 : 0)
        let record = Record.committed(
          pin, lsn: lsn, key: key, value: value, reference: reference)
        // A tombstone is not settled: a fragment has to tell of it. Nor is what lies apart.
        unsafe target[filled] = record.address | (value != nil ? Leaf.settled : 0)
        filled += 1
      }
    } catch {
      unsafe BLinkTree.free(words: target, filled, pin)
      unsafe BLinkTree.free(words: records + next, recordCount - next, pin)
      throw error
    }
    while next < recordCount {
      unsafe target[filled] = records[next]
      filled += 1
      next += 1
    }
    unsafe (all, count, self.gain) = (target, filled, gain)
    unsafe self.replaced = replaced
    // Where nothing came of the redo a base is due all the same, for its W: else the page would lack it for ever.
    unsafe flags = changed ? Leaf.dirty : Leaf.dirty | Leaf.baseOnly
  }
}

extension BLinkTree {
  /// Frees records that nobody else knows.
  fileprivate static func free(words: UnsafeMutablePointer<UInt64>, _ count: Int, _ pin: Pin) {
    var index = 0
    while index < count {
      Record(address: Leaf.record(unsafe words[index])).free(pin)
      index += 1
    }
  }
}
