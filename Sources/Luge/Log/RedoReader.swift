import Platform

/// Random access to the bytes of a redo stream that lies in several segment files.
///
/// Keeps one window of the stream in memory, of about a mebibyte or as large as the piece asked for.
/// A length that is not believed yet costs memory only up to what the files really hold. Only what was asked for fails:
/// where something that is read ahead cannot be read, less is read ahead from then on.
///
/// Unsafe at its rim: a buffer handed out is good until the next call of `bytes`.
@safe
final class RedoReader {
  /// One segment file and the part of the stream in it.
  struct Part {
    var base: UInt64
    var end: UInt64
    /// At most `end`: the file holds nothing from here on.
    var filledEnd: UInt64
    var path: String
  }

  private static let fullReadAhead: UInt64 = 1 << 20
  /// Once reading ahead has failed: each read up to so far before the bad sector fails again.
  private static let leastReadAhead: UInt64 = 4096

  /// In the order of the stream, without overlap.
  let parts: [Part]
  private let files: any FileSystem
  private var window: UnsafeMutableRawBufferPointer
  private var windowStart: UInt64 = 0
  private var windowCount = 0
  private var readAhead = RedoReader.fullReadAhead
  private var open: (index: Int, file: any File, size: Int64)?

  init(files: any FileSystem, parts: [Part]) {
    self.files = files
    self.parts = parts
    unsafe window = .allocate(byteCount: 0, alignment: 8)
  }

  deinit { unsafe window.deallocate() }

  func close() {
    open?.file.close()
    open = nil
  }

  /// The file that holds an LSN.
  func path(at lsn: UInt64) -> String? { part(at: lsn).map { parts[$0].path } }

  /// Where in its file an LSN lies.
  func offset(at lsn: UInt64) -> Int64? {
    part(at: lsn).map { Int64(RedoSegmentHeader.blockBytes) + Int64(lsn - parts[$0].base) }
  }

  /// `count` bytes from `lsn`; nil where the files end before. Throws where they cannot be read.
  func bytes(at lsn: UInt64, count: Int) throws(LugeError) -> UnsafeRawBufferPointer? {
    if lsn < windowStart || lsn - windowStart > UInt64(windowCount)
      || UInt64(windowCount) - (lsn - windowStart) < UInt64(count)
    {
      guard try fill(from: lsn, atLeast: count) else { return nil }
    }
    let start = Int(lsn - windowStart)
    return unsafe UnsafeRawBufferPointer(rebasing: window[start..<start + count])
  }

  /// What is in memory is read from the files again when it is asked for next.
  func forget() { windowCount = 0 }

  /// Loads the window. False where fewer than `count` bytes are there.
  private func fill(from lsn: UInt64, atLeast count: Int) throws(LugeError) -> Bool {
    let wanted = UInt64(count)
    while true {
      let ahead = max(wanted, readAhead)
      do throws(LugeError) { return try load(from: lsn, ahead, atLeast: wanted) } catch {
        if error.code != .inputOutput { throw error }
        if readAhead > Self.leastReadAhead {
          readAhead = Self.leastReadAhead
        } else {
          return try load(from: lsn, wanted, atLeast: wanted)
        }
      }
    }
  }

  /// Loads as much as there is of so many bytes.
  private func load(
    from lsn: UInt64, _ wanted: UInt64, atLeast count: UInt64
  ) throws(LugeError) -> Bool {
    windowCount = 0
    windowStart = lsn
    let available = try availableBytes(from: lsn, wanted: wanted)
    if available < count { return false }
    if unsafe window.count < Int(available) {
      unsafe window.deallocate()
      unsafe window = .allocate(byteCount: Int(available), alignment: 8)
    }
    var position = lsn
    let end = lsn + available
    while position < end {
      guard let index = part(at: position) else { return false }
      let run = min(end, parts[index].end) - position
      guard try read(index, at: position, count: Int(run)) else { return false }
      position += run
    }
    windowCount = Int(available)
    return true
  }

  /// How many bytes the files hold from `lsn` on without a gap, at most `wanted`.
  private func availableBytes(from lsn: UInt64, wanted: UInt64) throws(LugeError) -> UInt64 {
    var sum: UInt64 = 0
    while sum < wanted {
      let (position, overflow) = lsn.addingReportingOverflow(sum)
      guard !overflow, let index = part(at: position) else { break }
      let size = try opened(index).size - Int64(RedoSegmentHeader.blockBytes)
      let inFile = size > 0 ? min(UInt64(size), parts[index].end - parts[index].base) : 0
      let skipped = position - parts[index].base
      if inFile <= skipped { break }
      sum += inFile - skipped
      if inFile < parts[index].end - parts[index].base { break }
    }
    return min(sum, wanted)
  }

  private func read(_ index: Int, at lsn: UInt64, count: Int) throws(LugeError) -> Bool {
    let offset = Int64(RedoSegmentHeader.blockBytes) + Int64(lsn - parts[index].base)
    let file = try opened(index).file
    let target = Int(lsn - windowStart)
    // Within the window, which is large enough for all that is loaded.
    let rest = unsafe UnsafeMutableRawBufferPointer(rebasing: window[target..<target + count])
    do throws(PlatformError) {
      return unsafe try file.readAvailable(at: offset, into: rest) == count
    } catch {
      throw LugeError(error, doing: "reading the redo log")
    }
  }

  private func opened(_ index: Int) throws(LugeError) -> (file: any File, size: Int64) {
    if let open, open.index == index { return (open.file, open.size) }
    do {
      close()
      let file = try files.open(parts[index].path, .read)
      let size = try file.size()
      open = (index, file, size)
      return (file, size)
    } catch {
      throw LugeError(error, doing: "opening a redo segment")
    }
  }

  private func part(at lsn: UInt64) -> Int? {
    var low = 0
    var high = parts.count
    while low < high {
      let middle = (low + high) / 2
      if parts[middle].end <= lsn { low = middle + 1 } else { high = middle }
    }
    return low < parts.count && parts[low].base <= lsn ? low : nil
  }
}
