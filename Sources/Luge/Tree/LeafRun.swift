/// Visible entries of one leaf, copied, in key order.
struct LeafRun: Sendable {
  private struct Place {
    var start: Int
    var keyCount: Int
    var valueCount: Int
  }

  private var places: [Place] = []
  private var bytes: [UInt8] = []

  init() {}

  var count: Int { places.count }

  func key(_ index: Int) -> [UInt8] {
    let place = places[index]
    return slice(place.start, place.keyCount)
  }

  func value(_ index: Int) -> [UInt8] {
    let place = places[index]
    return slice(place.start + place.keyCount, place.valueCount)
  }

  private func slice(_ start: Int, _ count: Int) -> [UInt8] {
    if count == 0 { return [] }
    // Places lie inside `bytes` by how they were made. See `ByteView.copy` on why so.
    return unsafe bytes.withUnsafeBytes { source in
      unsafe [UInt8](UnsafeRawBufferPointer(rebasing: source[start..<start + count]))
    }
  }

  /// Copies `count` records, whose addresses ascend by key.
  @unsafe
  init(copying records: UnsafePointer<UInt64>, count: Int, withValues: Bool = true) {
    var total = 0
    places.reserveCapacity(count)
    var index = 0
    while index < count {
      let record = unsafe Record(address: records[index])
      let valueCount = withValues ? record.valueCount : 0
      places.append(Place(start: total, keyCount: record.keyCount, valueCount: valueCount))
      total += record.keyCount + valueCount
      index += 1
    }
    let size = total
    if size == 0 { return }
    unsafe bytes = [UInt8](unsafeUninitializedCapacity: size) { buffer, done in
      var target = unsafe UnsafeMutableRawPointer(buffer.baseAddress.unsafelyUnwrapped)
      var index = 0
      while index < count {
        // Key and value are neighbours in the record, as in the run.
        let record = unsafe Record(address: records[index])
        let length = record.keyCount + (withValues ? record.valueCount : 0)
        unsafe target.copyMemory(from: record.key.base, byteCount: length)
        unsafe target += length
        index += 1
      }
      done = size
    }
  }
}
