internal import Platform

/// What all records of one batch share.
///
/// ```
/// OFFSET SIZE DESCRIPTION
///      0    8 commit word: pending, committed or aborted (VersionWord)
///      8    8 age: the batch's place in the order of first attempts; smaller is older
///     16    8 how many records were installed: who waits for it sees whether it gets on
/// ```
/// Invariant: its address is a record's version body only until its owner has turned every record's
/// version word into a final one; then it is retired. Who waits for it unpinned holds a hazard.
@safe struct CommitDescriptor {
  private let base: UnsafeMutableRawPointer
  static let size = 24

  static func build(_ pin: Pin, age: UInt64) -> CommitDescriptor {
    let base = unsafe pin.allocate(size)
    unsafe WordRef.initialize(base, 0, VersionWord.pending)
    unsafe base.storeBytes(of: age, toByteOffset: 8, as: UInt64.self)
    unsafe WordRef.initialize(base, 16, 0)
    return CommitDescriptor(address: UInt64(UInt(bitPattern: base)))
  }

  @inline(__always)
  init(address: UInt64) {
    unsafe base = UnsafeMutableRawPointer(bitPattern: UInt(address)).unsafelyUnwrapped
  }

  @inline(__always) var address: UInt64 { unsafe UInt64(UInt(bitPattern: base)) }
  @inline(__always) var word: WordRef { unsafe WordRef(base, 0) }
  @inline(__always) var progress: WordRef { unsafe WordRef(base, 16) }
  @inline(__always)
  var age: UInt64 { unsafe base.load(fromByteOffset: 8, as: UInt64.self) }
  @inline(__always) func retire(_ pin: Pin) { unsafe pin.retire(base, CommitDescriptor.size) }

  /// Turns a pending commit word into an aborted one. True when it is aborted now.
  @discardableResult
  func abort() -> Bool {
    while true {
      let seen = word.load()
      if VersionWord.state(seen) != VersionWord.pending {
        return VersionWord.state(seen) == VersionWord.aborted
      }
      if word.compareExchange(expected: seen, desired: VersionWord.aborted) { return true }
    }
  }
}
