import Platform

extension Lock {
  /// `lock()`, with the engine's error. Throws only `.killed`.
  func acquire() throws(LugeError) {
    do throws(PlatformError) {
      try lock()
    } catch {
      throw LugeError(error, doing: "waiting for a lock")
    }
  }
}

/// Names a place where a failure may be injected, with the engine's error. `action` completes "while".
@inline(__always)
func failurePoint(_ name: StaticString, doing action: StaticString) throws(LugeError) {
  do throws(PlatformError) {
    try faultPoint(name)
  } catch {
    throw LugeError(error, doing: "\(action)")
  }
}
