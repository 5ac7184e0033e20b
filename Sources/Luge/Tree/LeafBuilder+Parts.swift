internal import Platform

extension LeafBuilder {
  /// A clean leaf out of what is on disk, and what is known of it. Its right page, if it has one, is in
  /// the index. Throws `.corruption`; then nothing is left behind. Pinned.
  static func build(
    _ pin: Pin, _ decoder: inout LeafDecoder, lsn: UInt64, entries: Int, high: [UInt8]?,
    _ settings: TreeSettings
  ) throws(LugeError) -> Leaf {
    guard decoder.lsn == lsn, hasHigh(decoder, high), entries <= decoder.mostEntries else {
      throw LeafImage.damage("it is not the one that its chunk names")
    }
    // As many as the parts have in all, which they are bounded for.
    let records = UnsafeMutablePointer<UInt64>.allocate(capacity: entries + 1)
    defer { unsafe records.deallocate() }
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
        unsafe records[count] = record.address | Leaf.settled
        count += 1
      }
      if count < entries { throw LeafImage.damage("it has fewer entries than its chunk says") }
    } catch {
      while count > 0 {
        count -= 1
        unsafe Record(address: Leaf.record(records[count])).free(pin)
      }
      throw error
    }
    // The decoder holds the high key until the builder has copied it.
    return unsafe build(
      pin, UnsafePointer(records), count: count, appendWords: settings.appendWords,
      high: decoder.hasHigh ? decoder.high : nil, right: 0, flags: Leaf.visits)
  }

  private static func hasHigh(_ decoder: borrowing LeafDecoder, _ high: [UInt8]?) -> Bool {
    guard let high else { return !decoder.hasHigh }
    // The array outlives the closure; nothing in it is kept.
    return unsafe high.withUnsafeBytes { unsafe decoder.hasHigh && decoder.high == ByteView($0) }
  }
}
