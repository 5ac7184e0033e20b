internal import Platform

/// What of a batch lies in value segments: its large values, and its payload if that is too large for
/// the redo ring. All of it is the batch's own until the commit; then the values are their
/// records', and the payload is released: only redo names it, so its segment stays until recovery
/// would not replay that any more.
struct BatchApart {
  private var values: [PagePart] = []
  /// Of the commit, where that lies apart.
  private(set) var payload: ValueReference?
  /// What was kept was given up, or became its records'.
  private(set) var wasSettled = false

  /// The writes of a batch in their order, with references in the place of large values. Unpinned;
  /// blocks on I/O. What was kept before an error is released by `settle`.
  mutating func keepValues(
    of buffer: BatchBuffer, _ order: borrowing BatchOrder, _ trees: [BLinkTree]
  ) throws(LugeError) -> BatchBuffer {
    let result = BatchBuffer()
    var index = 0
    while index < order.count {
      let place = buffer.place(order.position(index))
      let tree = trees[place.tree]
      let key = buffer.key(place)
      let value = buffer.value(place)
      if let value, tree.isLarge(value.count) {
        try tree.context.interrupt("value.append")
        let reference = try tree.keepApart(
          value, of: key, checksum: value.checksum)
        values.append(reference.part(key: key.count))
        result.append(tree: place.tree, id: tree.id, key: key, reference: reference)
      } else {
        result.append(tree: place.tree, id: tree.id, key: key, value: value)
      }
      index += 1
    }
    return result
  }

  /// Puts the payload into a value segment.
  mutating func keepPayload(of buffer: BatchBuffer, _ context: TreeContext) throws(LugeError) {
    try context.interrupt("value.append")
    let bytes = unsafe buffer.payload
    let part = unsafe try context.values.append(.commit, bytes)
    probe("tree.batchApart")
    payload = unsafe ValueReference(
      address: part.address.rawValue, length: UInt32(part.length), checksum: crc32c(bytes))
  }

  /// Gives up what is the batch's own, once it is decided.
  mutating func settle(_ context: TreeContext, isCommitted: Bool) throws(LugeError) {
    wasSettled = true
    var parts = isCommitted ? [] : values
    if let payload { parts.append(payload.commitPart) }
    values = []
    payload = nil
    try context.values.release(parts, at: context.log.tail)
  }
}
