/// What is counted; the names are those of ci/engine-counters.
enum Operation: String, CaseIterable {
  /// A view of the value of a present key.
  case get
  /// A copy of the value of a present key.
  case copy
  /// A new key each, in no order.
  case insert
  /// A new key each, ascending.
  case append
  /// Another value for a present key.
  case update
  /// The removal of a present key; as many as there are entries at most.
  case remove
  /// Keys of one scan after another over everything.
  case scan
  /// Keys of scans of 100 from keys in no order.
  case range100
  /// Keys overwritten in atomic batches of 100.
  case batch100
  /// An update that is flushed, each.
  case commit
  /// An id.
  case nextID
  /// A million updates' worth of leaves, written out: an update each, and one checkpoint at the end.
  case checkpoint

  var needsEntries: Bool { self != .insert && self != .append }
}
