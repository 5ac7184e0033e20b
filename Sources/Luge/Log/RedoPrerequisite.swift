/// What pieces of the redo stream name and do not hold: it must be durable before a block that names
/// it is written, or a crash would leave a commit without its value.
protocol RedoPrerequisite: AnyObject, Sendable {
  /// Makes durable all that was appended before the call. Called by a flush that holds its lock, when
  /// every piece of its group is filled; cheap when there is nothing to do.
  ///
  /// Throws `.noSpace` where a later call may succeed.
  func makeDurable() throws(LugeError)

  /// Whether a sync has failed, which is final.
  var hasFailed: Bool { get }
}
