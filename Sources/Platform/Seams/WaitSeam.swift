// What an engine tells a simulation of the locks that its threads hold and wait for: so that a report of a
// deadlock says who waits for whom. A lock is known by its address, a number here: nothing is read through it.

/// The calling thread has taken this lock.
@inline(__always)
func noteLockTaken(_ lock: UInt) {
  #if !NoSeams
    if seamIsArmed { SeamDispatch.lockTaken(lock) }
  #endif
}

/// The calling thread gives this lock back.
@inline(__always)
func noteLockGiven(_ lock: UInt) {
  #if !NoSeams
    if seamIsArmed { SeamDispatch.lockGiven(lock) }
  #endif
}

/// The calling thread waits for this lock from now on, until it has taken it.
@inline(__always)
func noteLockAwaited(_ lock: UInt) {
  #if !NoSeams
    if seamIsArmed { SeamDispatch.lockAwaited(lock) }
  #endif
}

#if !NoSeams
  extension SeamDispatch {
    @inline(never)
    static func lockTaken(_ lock: UInt) { current?.lockTaken(lock) }

    @inline(never)
    static func lockGiven(_ lock: UInt) { current?.lockGiven(lock) }

    @inline(never)
    static func lockAwaited(_ lock: UInt) { current?.lockAwaited(lock) }
  }
#endif
