import Platform

/// What one redo segment file turned out to hold.
struct RedoSegmentInfo: Equatable, Sendable {
  var serial: UInt64
  var path: String
  /// Length of the file in bytes.
  var size: Int64
  var header: RedoSegmentHeader

  /// Whether the file has just the length that its header says, and so may be recycled.
  var isComplete: Bool { size == header.fileBytes }
}

/// The names of redo segment files, and reading all their headers.
///
/// Invariant: what bears a segment's name is whole. It is made and synced under another name, and renamed then. So a
/// file that is too short, or whose header cannot be read, is damaged and not half made: without that nobody
/// could tell a last segment that was cut off, with all that was flushed into it, from one that was never used.
enum RedoSegmentFiles {
  private static let prefix = "redo-"
  private static let newSuffix = ".new"

  static func path(_ directory: String, serial: UInt64) -> String {
    "\(directory)/\(SegmentName.make(prefix, serial))"
  }

  /// Of a file that is being made.
  static func newPath(_ directory: String, serial: UInt64) -> String {
    path(directory, serial: serial) + newSuffix
  }

  /// Removes what earlier lives began to make; what cannot be removed stays.
  static func removeUnfinished(_ files: any FileSystem, directory: String) throws(LugeError) {
    do throws(PlatformError) {
      for name in try files.list(directory) {
        guard name.hasSuffix(newSuffix),
          SegmentName.serial(prefix, String(name.dropLast(newSuffix.utf8.count))) != nil
        else { continue }
        do throws(PlatformError) { try files.remove("\(directory)/\(name)") } catch {
          if error.code == .killed { throw error }
        }
      }
    } catch {
      throw LugeError(error, doing: "removing redo segments that were not completed")
    }
  }

  /// Reads the header of every redo file of a directory, in the order of serials.
  ///
  /// Throws `.corruption` for a file without a readable header, or shorter than its header says. Other
  /// names are passed over.
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
    var failure: PlatformError?
    for offset in RedoSegmentHeader.copyOffsets {
      var bytes = [UInt8](repeating: 0, count: RedoSegmentHeader.bytes)
      do throws(PlatformError) {
        _ = try file.readAvailable(at: Int64(offset), into: &bytes)
      } catch {
        // The other copy lies in another sector.
        if error.code != .inputOutput { throw error }
        failure = error
        continue
      }
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
    guard let newest else {
      if let failure { throw failure }
      throw LugeError(
        .corruption, "both copies of a redo segment's header are unreadable", path: path,
        offset: 0)
    }
    guard newest.serial == serial else {
      throw LugeError(
        .corruption, "a redo segment bears another one's header", path: path, offset: 0,
        expected: "serial \(serial)", found: "\(newest.serial)")
    }
    guard size >= newest.fileBytes else {
      throw LugeError(
        .corruption, "a redo segment is cut short", path: path, offset: size,
        expected: "\(newest.fileBytes) bytes", found: "\(size)")
    }
    return RedoSegmentInfo(serial: serial, path: path, size: size, header: newest)
  }
}
