internal import Platform

/// How the body of a leaf image is best laid out: found out of the records, exact in bytes.
/// Format: `LeafImage`.
///
/// Safe: it looks at the records only while it is made; `first` is one's key, good as long as the record.
@safe struct LeafLayout {
  let count: Int
  private(set) var longestKey = 0
  private(set) var first = ByteView.empty
  private(set) var prefix = 0

  private(set) var isFixed = false
  private(set) var number = KeyNumber()

  private(set) var valueCoding: UInt8 = 0
  private(set) var fixedValue = 0

  /// Bytes of all rows.
  private(set) var rowBytes = 0

  var layoutByte: UInt8 {
    (isFixed ? 1 : 0) | valueCoding << 1 | number.digits.rawValue << 3
      | (number.restIsShared ? 32 : 0)
  }

  /// `count` records whose addresses ascend by key.
  @unsafe
  init(_ records: UnsafePointer<UInt64>, _ count: Int) {
    self.count = count
    if count == 0 { return }
    first = unsafe Record(address: records[0]).key
    unsafe chooseKeys(records)
    unsafe chooseValues(records)
  }

  @unsafe
  private mutating func chooseKeys(_ records: UnsafePointer<UInt64>) {
    let last = unsafe Record(address: records[count - 1]).key
    // Keys in order share what the first and the last share.
    prefix = ByteView.commonPrefix(first, last)
    longestKey = first.count
    var haveOneLength = count > 1
    var index = 1
    while index < count {
      let length = unsafe Record(address: records[index]).keyCount
      if length != first.count { haveOneLength = false }
      if length > longestKey { longestKey = length }
      index += 1
    }
    if haveOneLength {
      number = unsafe KeyNumber(records, count, prefix: prefix)
      rowBytes = (count - 1) * number.rowBytes
      isFixed = true
      if number.rowBytes == 0 { return }
    }
    let frontCoded = unsafe frontCodedBytes(records)
    if isFixed && rowBytes <= frontCoded { return }
    (isFixed, number, rowBytes) = (false, KeyNumber(), frontCoded)
  }

  @unsafe
  private func frontCodedBytes(_ records: UnsafePointer<UInt64>) -> Int {
    var bytes = 0
    var former = first
    var index = 1
    while index < count {
      let key = unsafe Record(address: records[index]).key
      let shared = ByteView.commonPrefix(former, key)
      bytes += LeafLayout.frontCodedBytes(shared: shared - prefix, rest: key.count - shared)
      former = key
      index += 1
    }
    return bytes
  }

  @inline(__always)
  private static func frontCodedBytes(shared: Int, rest: Int) -> Int {
    1 + (shared < 15 ? 0 : varintSize(UInt64(shared - 15)))
      + (rest < 15 ? 0 : varintSize(UInt64(rest - 15))) + rest
  }

  @unsafe
  private mutating func chooseValues(_ records: UnsafePointer<UInt64>) {
    fixedValue = unsafe Record(address: records[0]).storedCount
    var (bytes, lengths, kinds) = (0, 0, 0)
    var index = 0
    while index < count {
      let record = unsafe Record(address: records[index])
      let length = record.storedCount
      if record.entryKind != .value {
        valueCoding = 2
      } else if length != fixedValue && valueCoding == 0 {
        valueCoding = 1
      }
      bytes += length
      lengths += varintSize(UInt64(length))
      kinds += varintSize(UInt64(length) << 2)
      index += 1
    }
    if valueCoding != 0 { fixedValue = 0 }
    rowBytes += bytes + (valueCoding == 0 ? 0 : valueCoding == 1 ? lengths : kinds)
  }
}

extension Record {
  /// What the record is in an image.
  @inline(__always)
  var entryKind: EntryKind { isTombstone ? .tombstone : isReference ? .reference : .value }

  /// Bytes of the value in an image.
  @inline(__always)
  var storedCount: Int { isReference ? ValueReference.bytes : valueCount }
}
