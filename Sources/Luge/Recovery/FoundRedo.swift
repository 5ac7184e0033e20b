import Platform

/// The redo as an opening found it.
struct FoundRedo {
  /// An index of all operations; or ids only, where memory did not suffice for one.
  var harvest: RedoHarvest
  var isIndexed: Bool
  /// Where it ends.
  var end: UInt64
  /// The eras that it is in by now, the new one included.
  var eras: [RedoEra]
}
