internal import Platform

// Leaf images held in arrays, as the page store reads them.

extension LeafDecoder {
  /// Reads a page out of the records of its parts, the base first: `body` gets the decoder before its first entry.
  /// Throws what `init(parts:)` throws, and what `body` throws.
  ///
  /// - Parameter parts: where the records were read from, in the same order.
  static func reading<Result>(
    _ parts: [PagePart], _ records: [PageRecord], tree: UInt64, low: ByteView,
    contexts: CodecContexts, _ body: (inout LeafDecoder) throws(LugeError) -> Result
  ) throws(LugeError) -> Result {
    precondition(parts.count == records.count, "each part has a record")
    var views: [LeafPart] = []
    views.reserveCapacity(parts.count)
    return try holding(records, parts, &views) { (views) throws(LugeError) in
      // The arrays outlive this closure. An empty one is refused before anything is read.
      try unsafe views.withUnsafeBufferPointer { (views) throws(LugeError) in
        guard let base = views.baseAddress else {
          throw LeafImage.damage("its page has no parts")
        }
        var decoder = unsafe try LeafDecoder(
          parts: base, count: views.count, tree: tree, low: low, contexts: contexts)
        return try body(&decoder)
      }
    }
  }

  /// Calls `body` while every array stays where it is.
  private static func holding<Result>(
    _ records: [PageRecord], _ parts: [PagePart], _ views: inout [LeafPart],
    _ body: ([LeafPart]) throws(LugeError) -> Result
  ) throws(LugeError) -> Result {
    let index = views.count
    if index == records.count { return try body(views) }
    // Good until this call returns, and `body` is called inside.
    return try unsafe records[index].withPayload { (bytes) throws(LugeError) in
      views.append(
        LeafPart(address: parts[index].address.rawValue, bytes: unsafe ByteView(bytes)))
      return try holding(records, parts, &views, body)
    }
  }
}

extension LeafImage {
  /// Which page a part belongs to, whatever else it holds: what a cleaner asks of each record.
  /// Throws like `LeafHead`. O(1) but for the copy.
  static func owner(of payload: [UInt8]) throws(LugeError) -> (tree: UInt64, low: [UInt8]) {
    // The head's views are copied before the array's bytes are given back.
    try unsafe payload.withUnsafeBufferPointer { (bytes) throws(LugeError) in
      let head = unsafe try LeafHead(UnsafeRawBufferPointer(bytes))
      return (head.tree, head.low.copy())
    }
  }
}

extension ChunkPage {
  /// Reads all entries out of the records of the page's parts. Throws `.corruption` where they are
  /// damaged or of another page.
  func decode(
    _ records: [PageRecord], of tree: UInt64, _ contexts: CodecContexts
  ) throws(LugeError) -> (lsn: UInt64, entries: Int, values: [ValueOnDisk]) {
    // The array outlives the closure; nothing in it is kept.
    try unsafe low.withUnsafeBufferPointer { (low) throws(LugeError) in
      try LeafDecoder.reading(
        parts, records, tree: tree, low: unsafe ByteView(UnsafeRawBufferPointer(low)),
        contexts: contexts
      ) { (decoder) throws(LugeError) in
        var entries = 0
        var values: [ValueOnDisk] = []
        while try decoder.next() {
          entries += 1
          if let reference = decoder.reference {
            values.append(ValueOnDisk(key: decoder.key.copy(), reference: reference))
          }
        }
        return (decoder.lsn, entries, values)
      }
    }
  }
}
