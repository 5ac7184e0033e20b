internal import Platform

/// What of a page is on disk: a base, then fragments, each newer than those before; and how many bytes
/// of value segments its entries name. Immutable.
///
/// ```
/// OFFSET SIZE DESCRIPTION
///      0    8 W of the newest part: redo records of the page below it are in the parts
///      8    8 live entries of all parts together, as `EntryCount` has it
///     16    4 n, parts, at least 1
///     20    4 m, value segments that an entry names a value in
///     24  8*c addresses of the parts, the base first; c is n, rounded up to 1, 4 or 9
///       + 4*c their lengths, and zeros up to a multiple of 8
///       +16*m serial of each such segment, ascending, and bytes of these values' records
/// ```
/// Few sizes, because a page's list grows with each fragment: else what one size took when the pages
/// came to it together would be left over when they go on.
/// Safe: a page's list is used in a pin, or by whoever holds the page's claim or loads it.
@safe struct PartList {
  private let base: UnsafeMutableRawPointer
  private static let headerSize = 24

  init(address: UInt64) {
    unsafe base = UnsafeMutableRawPointer(bitPattern: UInt(address)).unsafelyUnwrapped
  }

  static func build(
    _ pin: Pin, lsn: UInt64, entries: Int, _ parts: [PagePart], values: SegmentBytes
  ) -> PartList {
    precondition(!parts.isEmpty, "a page on disk has a base")
    let capacity = capacity(parts.count)
    let valuesOffset = valuesOffset(capacity)
    let base = unsafe pin.allocate(valuesOffset + 16 * values.entries.count)
    unsafe base.storeBytes(of: lsn, as: UInt64.self)
    unsafe base.storeBytes(of: UInt64(bitPattern: Int64(entries)), toByteOffset: 8, as: UInt64.self)
    unsafe base.storeBytes(of: UInt32(parts.count), toByteOffset: 16, as: UInt32.self)
    unsafe base.storeBytes(of: UInt32(values.entries.count), toByteOffset: 20, as: UInt32.self)
    var index = 0
    while index < parts.count {
      let part = parts[index]
      unsafe base.storeBytes(
        of: part.address.rawValue, toByteOffset: headerSize + 8 * index, as: UInt64.self)
      unsafe base.storeBytes(
        of: UInt32(part.length), toByteOffset: headerSize + 8 * capacity + 4 * index,
        as: UInt32.self)
      index += 1
    }
    var offset = valuesOffset
    for use in values.entries {
      unsafe base.storeBytes(of: use.serial, toByteOffset: offset, as: UInt64.self)
      unsafe base.storeBytes(of: use.bytes, toByteOffset: offset + 8, as: UInt64.self)
      offset += 16
    }
    return PartList(address: UInt64(UInt(bitPattern: base)))
  }

  var address: UInt64 { unsafe UInt64(UInt(bitPattern: base)) }

  private func field(_ offset: Int) -> UInt64 {
    unsafe base.load(fromByteOffset: offset, as: UInt64.self)
  }

  var lsn: UInt64 { field(0) }
  var entries: Int { Int(truncatingIfNeeded: field(8)) }
  var count: Int { Int(field(16) & 0xFFFF_FFFF) }
  private var valueCount: Int { Int(field(16) >> 32) }
  private var size: Int { PartList.valuesOffset(PartList.capacity(count)) + 16 * valueCount }

  /// Bytes of a list of one part.
  static let leastBytes = 40

  private static func capacity(_ count: Int) -> Int {
    count <= 1 ? 1 : count <= 4 ? 4 : max(9, count)
  }

  private static func valuesOffset(_ capacity: Int) -> Int { (headerSize + 12 * capacity + 7) & ~7 }

  /// Whether entries of the page name values that lie apart.
  var namesValues: Bool { valueCount > 0 }

  /// Bytes of the records in value segments that the page's entries name.
  var values: SegmentBytes {
    var table = SegmentBytes()
    var offset = PartList.valuesOffset(PartList.capacity(count))
    let end = offset + 16 * valueCount
    while offset < end {
      table.add(field(offset + 8), to: field(offset))
      offset += 16
    }
    return table
  }

  /// The part with index below `count`.
  func part(_ index: Int) -> PagePart {
    let lengths = PartList.headerSize + 8 * PartList.capacity(count)
    let length = unsafe base.load(fromByteOffset: lengths + 4 * index, as: UInt32.self)
    return PagePart(
      address: PageAddress(rawValue: field(PartList.headerSize + 8 * index)),
      length: Int(length))
  }

  /// The address that names this list in the page's word: no other list has it last.
  var newest: PageAddress { part(count - 1).address }

  /// Whether one of the parts lies at `address`.
  func names(_ address: PageAddress) -> Bool {
    var index = 0
    while index < count {
      if part(index).address == address { return true }
      index += 1
    }
    return false
  }

  func copy() -> [PagePart] {
    var parts: [PagePart] = []
    parts.reserveCapacity(count)
    var index = 0
    while index < count {
      parts.append(part(index))
      index += 1
    }
    return parts
  }

  func retire(_ pin: Pin) { unsafe pin.retire(base, size) }
  func free(_ pin: Pin) { unsafe pin.free(base, size) }
}
