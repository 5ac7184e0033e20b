import Platform

/// Reads operations of the redo once more, from whichever segments hold them. Any number of threads.
final class PendingSource: @unchecked Sendable {
  private struct Part {
    var base: UInt64
    var end: UInt64
    var file: any File
    /// The LSN of the byte behind the file's header.
    var origin: UInt64
  }

  // In the order of the stream, without overlap; set once.
  private let parts: [Part]

  /// - Parameters:
  ///   - eras: as the superblock names them.
  ///   - from: nothing below this is asked for.
  init(
    files: any FileSystem, directory: String, eras: [RedoEra], from: UInt64
  ) throws(LugeError) {
    let segments = try RedoSegmentFiles.load(files, directory: directory)
    var parts: [Part] = []
    do throws(PlatformError) {
      for (index, era) in eras.enumerated() {
        let next = index + 1 < eras.count ? eras[index + 1].start : .max
        for info in segments {
          let header = info.header
          guard header.incarnation == era.incarnation, header.base < next,
            header.payloadBytes <= 1 << 40, header.base + header.payloadBytes > from
          else { continue }
          parts.append(
            Part(
              base: header.base, end: min(next, header.base + header.payloadBytes),
              file: try files.open(info.path, .read), origin: header.base))
        }
      }
    } catch {
      for part in parts { part.file.close() }
      throw LugeError(error, doing: "opening the redo log for what pages lack")
    }
    self.parts = parts.sorted { left, right in left.base < right.base }
  }

  deinit {
    for part in parts { part.file.close() }
  }

  /// Reads an operation into memory of its size. Throws `.corruption` where it is not what it was.
  func read(
    _ record: PendingRecord, into target: UnsafeMutableRawBufferPointer
  ) throws(LugeError) {
    var done = 0
    while done < target.count {
      let position = record.position + UInt64(done)
      guard let part = part(at: position) else { throw damage(record) }
      let count = min(target.count - done, Int(part.end - position))
      let offset = Int64(RedoSegmentHeader.blockBytes) + Int64(position - part.origin)
      let rest = unsafe UnsafeMutableRawBufferPointer(rebasing: target[done..<done + count])
      let found: Int
      do throws(PlatformError) {
        found = unsafe try part.file.readAvailable(at: offset, into: rest)
      } catch {
        throw LugeError(error, doing: "reading what a page lacks from the redo log")
      }
      if found < count { throw damage(record) }
      done += count
    }
    if unsafe crc32c(UnsafeRawBufferPointer(target)) != record.checksum { throw damage(record) }
  }

  private func part(at lsn: UInt64) -> Part? {
    var low = 0
    var high = parts.count
    while low < high {
      let middle = (low + high) / 2
      if parts[middle].end <= lsn { low = middle + 1 } else { high = middle }
    }
    return low < parts.count && parts[low].base <= lsn ? parts[low] : nil
  }

  private func damage(_ record: PendingRecord) -> LugeError {
    let part = part(at: record.position)
    return LugeError(
      .corruption, "the redo log lacks what it held when the database was opened",
      path: part?.file.path,
      offset: part.map { part in
        Int64(RedoSegmentHeader.blockBytes) + Int64(record.position - part.origin)
      })
  }
}

extension File {
  /// Reads until `target` is full or the file ends; returns the number of bytes read.
  func readAvailable(
    at offset: Int64, into target: UnsafeMutableRawBufferPointer
  ) throws(PlatformError) -> Int {
    var done = 0
    while done < target.count {
      // The memory is the caller's, for the length of the call.
      var span = unsafe MutableRawSpan(
        _unsafeBytes: UnsafeMutableRawBufferPointer(rebasing: target[done...]))
      let transferred = try read(into: &span, at: offset + Int64(done))
      if transferred == 0 { break }
      done += transferred
    }
    return done
  }
}
