import Platform

/// What one redo segment file turned out to hold.
struct RedoSegmentInfo: Equatable, Sendable {
  var serial: UInt64
  var path: String
  /// Length of the file in bytes.
  var size: Int64
  /// Nil: the file's creation was cut short; it holds nothing.
  var header: RedoSegmentHeader?

  /// Whether the file was completed, and so may be recycled.
  var isComplete: Bool {
    guard let header, header.payloadBytes <= 1 << 40 else { return false }
    return size == Int64(header.payloadBytes) + Int64(RedoSegmentHeader.blockBytes)
  }
}

/// The names of redo segment files, and reading all their headers.
enum RedoSegmentFiles {
  private static let prefix = "redo-"

  static func path(_ directory: String, serial: UInt64) -> String {
    "\(directory)/\(SegmentName.make(prefix, serial))"
  }

  /// Reads the header of every redo file of a directory, in the order of serials.
  ///
  /// Throws `.corruption` for a file with contents and no readable header: a header's copies are
  /// never both unsynced once the file has contents, so no crash does that. Other names are passed over.
  static func load(
    _ files: any FileSystem, directory: String
  ) throws(LugeError) -> [RedoSegmentInfo] {
    var infos: [RedoSegmentInfo] = []
    do {
      for name in try files.list(directory) {
        guard let serial = SegmentName.serial(prefix, name) else { continue }
        let path = "\(directory)/\(name)"
        guard serial < 1 << 62 else {
          throw LugeError(.corruption, "a redo segment's serial is out of range", path: path)
        }
        let file = try files.open(path, .read)
        defer { file.close() }
        infos.append(try read(file, serial: serial, path: path))
      }
    } catch let error as PlatformError {
      throw LugeError(error, doing: "reading the headers of the redo log")
    } catch let error as LugeError {
      throw error
    } catch {
      preconditionFailure("no other error is thrown above")
    }
    return infos.sorted { $0.serial < $1.serial }
  }

  private static func read(
    _ file: any File, serial: UInt64, path: String
  ) throws -> RedoSegmentInfo {
    let size = try file.size()
    var newest: RedoSegmentHeader?
    for offset in RedoSegmentHeader.copyOffsets {
      var bytes = [UInt8](repeating: 0, count: RedoSegmentHeader.bytes)
      _ = try file.readAvailable(at: Int64(offset), into: &bytes)
      switch RedoSegmentHeader.decode(bytes) {
      case .bad: continue
      case .newer(let version):
        throw LugeError(
          .unsupportedVersion, "the redo log was written by a newer version", path: path,
          expected: "at most \(RedoSegmentHeader.version)", found: "\(version)")
      case .valid(let header):
        // Recycling writes one copy after the other.
        if newest.map(header.replaces) ?? true { newest = header }
      }
    }
    if let newest {
      guard newest.serial == serial else {
        throw LugeError(
          .corruption, "a redo segment bears another one's header", path: path, offset: 0,
          expected: "serial \(serial)", found: "\(newest.serial)")
      }
    } else if try hasContents(file, size: size) {
      throw LugeError(
        .corruption, "both copies of a redo segment's header are unreadable", path: path,
        offset: 0)
    }
    return RedoSegmentInfo(serial: serial, path: path, size: size, header: newest)
  }

  /// Whether anything but zeros follows the header block.
  private static func hasContents(_ file: any File, size: Int64) throws -> Bool {
    var offset = Int64(RedoSegmentHeader.blockBytes)
    while offset < size {
      var chunk = [UInt8](repeating: 0, count: Int(min(size - offset, 256 << 10)))
      let count = try file.readAvailable(at: offset, into: &chunk)
      if count == 0 { break }
      var index = 0
      while index < count {
        if chunk[index] != 0 { return true }
        index += 1
      }
      offset += Int64(count)
    }
    return false
  }
}
