// The tree's operations on arrays of bytes, for callers outside the layers that handle raw memory.
// Each array outlives the closure that its bytes are passed to, and nothing keeps them.

extension BLinkTree {
  func value(forKey key: [UInt8]) throws(LugeError) -> [UInt8]? {
    unsafe try reading(key) { (key) throws(LugeError) in unsafe try get(key) }
  }

  func contains(_ key: [UInt8]) throws(LugeError) -> Bool {
    unsafe try reading(key) { (key) throws(LugeError) in unsafe try contains(key) }
  }

  func updateValue(_ value: [UInt8], forKey key: [UInt8]) throws(LugeError) -> [UInt8]? {
    unsafe try reading(key) { (key) throws(LugeError) in
      unsafe try reading(value) { (value) throws(LugeError) in
        unsafe try update(key, .put(ByteView(value))).old
      }
    }
  }

  func setValue(_ value: [UInt8], forKey key: [UInt8]) throws(LugeError) {
    unsafe try reading(key) { (key) throws(LugeError) in
      unsafe try reading(value) { (value) throws(LugeError) in
        unsafe try put(key, ByteView(value))
      }
    }
  }

  /// Removes a key; whether it had a value, which is not read.
  func takeAway(_ key: [UInt8]) throws(LugeError) -> Bool {
    unsafe try reading(key) { (key) throws(LugeError) in unsafe try take(key) }
  }

  func discardValue(forKey key: [UInt8]) throws(LugeError) {
    unsafe try reading(key) { (key) throws(LugeError) in unsafe try discard(key) }
  }

  func setValue(_ value: RawSpan, forKey key: RawSpan) throws(LugeError) {
    unsafe try key.withUnsafeBytes { (key) throws(LugeError) in
      unsafe try value.withUnsafeBytes { (value) throws(LugeError) in
        unsafe try put(key, ByteView(value))
      }
    }
  }

  func discardValue(forKey key: RawSpan) throws(LugeError) {
    unsafe try key.withUnsafeBytes { (key) throws(LugeError) in
      unsafe try discard(key)
    }
  }

  func removeValue(forKey key: [UInt8]) throws(LugeError) -> [UInt8]? {
    unsafe try reading(key) { (key) throws(LugeError) in unsafe try update(key, .remove).old }
  }

  func compareExchange(
    key: [UInt8], expected: [UInt8]?, desired: [UInt8]?
  ) throws(LugeError) -> (exchanged: Bool, original: [UInt8]?) {
    unsafe try reading(key) { (key) throws(LugeError) in
      unsafe try reading(expected ?? []) { (expectedBytes) throws(LugeError) in
        unsafe try reading(desired ?? []) { (desiredBytes) throws(LugeError) in
          let mode = unsafe WriteMode.exchange(
            expected: expected == nil ? nil : ByteView(expectedBytes),
            desired: desired == nil ? nil : ByteView(desiredBytes))
          let result = unsafe try update(key, mode)
          return (result.applied, result.old)
        }
      }
    }
  }

  @inline(__always)
  private func reading<Result>(
    _ bytes: [UInt8], _ body: (UnsafeRawBufferPointer) throws(LugeError) -> Result
  ) throws(LugeError) -> Result {
    // `withUnsafeBytes` rethrows untyped; `withUnsafeBufferPointer` keeps the type.
    unsafe try bytes.withUnsafeBufferPointer { (buffer) throws(LugeError) in
      unsafe try body(UnsafeRawBufferPointer(buffer))
    }
  }
}
