// What an engine tells a simulation of the memory that its threads share. All of it is nothing but in a
// build with the package trait `SchedulePoints`. Addresses are numbers here: nothing is read through them.

/// A block of shared memory is in use from now on.
@inlinable @inline(__always)
public func noteAllocation(_ address: UInt, _ bytes: Int) {
  #if SchedulePoints
    SeamDispatch.allocated(address, bytes)
  #endif
}

/// A block of shared memory is free from now on: nobody may touch it. True: it must not be used again,
/// and where it is an allocation of its own (`isOwn`), the simulation deallocates it.
@inlinable @inline(__always)
public func noteFree(_ address: UInt, _ bytes: Int, isOwn: Bool) -> Bool {
  #if SchedulePoints
    return SeamDispatch.freed(address, bytes, isOwn)
  #else
    return false
  #endif
}

/// Memory that blocks lay in is given back to the system: what is known of it holds no longer.
@inlinable @inline(__always)
public func noteReturn(_ address: UInt, _ bytes: Int) {
  #if SchedulePoints
    SeamDispatch.returned(address, bytes)
  #endif
}

/// The calling thread reads or writes here. Does not return where a simulation knows the place to be free.
@inlinable @inline(__always)
public func noteTouch(_ address: UInt) {
  #if SchedulePoints
    SeamDispatch.touched(address)
  #endif
}

#if SchedulePoints
  extension SeamDispatch {
    @inline(never)
    public static func allocated(_ address: UInt, _ bytes: Int) {
      current?.allocated(address, bytes)
    }

    @inline(never)
    public static func freed(_ address: UInt, _ bytes: Int, _ isOwn: Bool) -> Bool {
      current?.freed(address, bytes, isOwn: isOwn) ?? false
    }

    @inline(never)
    public static func returned(_ address: UInt, _ bytes: Int) { current?.returned(address, bytes) }

    @inline(never)
    public static func touched(_ address: UInt) { lend { $0.touched(address) } }
  }
#endif
