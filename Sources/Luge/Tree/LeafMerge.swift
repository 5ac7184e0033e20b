internal import Platform

/// The records of a complete leaf, out of a frozen partial one and the rows on disk. See
/// BLinkTree+Partial.
///
/// Safe: used within one pin, and freed by hand in the same function; no index is above what `room`
/// was made for.
@safe struct LeafMerge {
  private let order: LeafOrder
  private let context: TreeContext
  private let horizon: UInt64
  /// Addresses in key order, those of settled records with that bit.
  private var memory: UnsafeMutablePointer<UInt64>
  private(set) var count = 0
  /// Records made here, to be freed if the leaf is not published.
  private var made: [UInt64] = []
  /// Records that are in a word of the partial leaf and in none of the new one, with bit 0 where those
  /// beneath go too.
  private var replaced: [UInt64] = []
  private var next = 0
  /// Rows with a value on disk.
  private(set) var rows = 0
  /// Keys of the leaf that the disk lacks.
  private(set) var absent = 0

  @unsafe var records: UnsafePointer<UInt64> { unsafe UnsafePointer(memory) }

  init(_ leaf: Leaf, _ context: TreeContext) {
    order = LeafOrder(leaf)
    self.context = context
    horizon = context.horizon()
    unsafe memory = .allocate(capacity: 1)
  }

  func free() {
    order.free()
    unsafe memory.deallocate()
  }

  /// Merges all rows with the leaf's records. Throws `.corruption`.
  mutating func take(
    _ decoder: inout LeafDecoder, _ loading: PageLoading, _ pin: Pin
  ) throws(LugeError) {
    try LeafBuilder.check(decoder, loading)
    let room = order.count + decoder.mostEntries + 1
    unsafe memory.deallocate()
    unsafe memory = .allocate(capacity: room)
    made.reserveCapacity(room)
    while try decoder.next() {
      let key = decoder.key
      while next < order.count, ByteView.compare(order.key(next), key) < 0 { takeRecord(nil, pin) }
      let row = Record.build(
        pin, version: VersionWord.committed, key: key, value: decoder.value)
      rows += 1
      if next < order.count, order.key(next) == key {
        takeRecord(row, pin)
      } else {
        made.append(row.address)
        append(row.address | Leaf.settled)
      }
    }
    while next < order.count { takeRecord(nil, pin) }
    if EntryCount.isExact(loading.entries) && rows != loading.entries {
      throw LeafImage.damage("it has another number of entries than its chunk says")
    }
  }

  private mutating func append(_ word: UInt64) {
    unsafe memory[count] = word
    count += 1
  }

  /// Takes the leaf's next record, over the row of the same key, if there is one: nobody else knows
  /// that yet.
  private mutating func takeRecord(_ row: Record?, _ pin: Pin) {
    var address = order.address(next)
    next += 1
    while address != 0, context.commitLSN(Record(address: address)) == nil {
      replaced.append(address)
      address = Record(address: address).beneath
    }
    guard address != 0 else {
      guard let row else { return }
      made.append(row.address)
      return append(row.address | Leaf.settled)
    }
    guard let row else {
      absent += 1
      return append(address)
    }
    let chain = chain(from: address)
    let oldest = context.commitLSN(Record(address: chain[chain.count - 1])) ?? .max
    if oldest < horizon {
      row.free(pin)
      return append(address)
    }
    made.append(row.address)
    append(copy(chain, onto: row, pin))
    replaced.append(address | 1)
  }

  /// The committed versions of a key, newest first.
  private func chain(from top: UInt64) -> [UInt64] {
    var chain: [UInt64] = []
    var address = top
    while address != 0 {
      let record = Record(address: address)
      if context.commitLSN(record) != nil { chain.append(address) }
      address = record.beneath
    }
    return chain
  }

  private mutating func copy(_ chain: [UInt64], onto row: Record, _ pin: Pin) -> UInt64 {
    probe("cache.versionCopied")
    var beneath = row.address
    var index = chain.count
    while index > 0 {
      index -= 1
      let record = Record(address: chain[index])
      let copy = Record.build(
        pin, version: (context.commitLSN(record) ?? 0) | VersionWord.committed, key: record.key,
        value: record.isTombstone ? nil : record.value, predecessor: beneath)
      beneath = copy.address
      made.append(beneath)
    }
    return beneath
  }

  /// The leaf was not published.
  mutating func undo(_ pin: Pin) {
    for address in made { Record(address: address).free(pin) }
    made = []
  }

  /// The leaf was published: the duty of who did it.
  func retireReplaced(_ pin: Pin) {
    for word in replaced {
      let record = Record(address: Leaf.record(word))
      if word & 1 != 0 { record.dropPredecessors(pin) }
      record.retire(pin)
    }
  }
}
