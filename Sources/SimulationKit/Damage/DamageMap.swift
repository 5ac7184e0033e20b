public import EngineKit
internal import Platform

/// What each byte of an image is for.
public final class DamageMap {
  public struct Byte: Equatable, Sendable {
    public var kind: String
    public var use: StorageRegion.Use
  }

  /// Whether the engine says what lies where.
  public let isKnown: Bool
  /// By file, in the order of the image; each file's regions cover it from beginning to end.
  public private(set) var files: [[StorageRegion]] = []

  init(
    _ image: DatabaseImage, _ factory: any EngineFactory, _ platform: PlatformServices
  ) throws(EngineError) {
    let found = try factory.storageRegions(of: ImageFileSystem.directory, on: platform)
    isKnown = found != nil
    for file in image.files {
      let path = "\(ImageFileSystem.directory)/\(file.name)"
      let family = "\(Self.family(of: file.name)), free"
      var regions: [StorageRegion] = []
      var end = 0
      for region in (found ?? []).filter({ $0.path == path }).sorted(by: { $0.offset < $1.offset })
      {
        if region.offset < end {
          throw EngineError(.other, "\(path): two regions overlap at \(region.offset)")
        }
        if region.offset > end {
          regions.append(
            StorageRegion(
              path, offset: end, count: region.offset - end, kind: family, use: .free))
        }
        regions.append(region)
        end = region.offset + region.count
      }
      if end < file.bytes.count {
        regions.append(
          StorageRegion(
            path, offset: end, count: file.bytes.count - end, kind: family, use: .free))
      }
      files.append(regions)
    }
  }

  /// What comes before the number in a file's name.
  public static func family(of name: String) -> String {
    String(name.prefix { $0 != "-" }).lowercased()
  }

  /// What nobody read when the whole database was opened, read, verified and closed, is not needed: a large value
  /// that the image names and the redo has replaced.
  func note(wasRead: [[Bool]]) {
    var file = 0
    while file < files.count {
      var index = 0
      while index < files[file].count {
        let region = files[file][index]
        let range = region.offset..<region.offset + region.count
        if region.use == .needed, !range.contains(where: { wasRead[file][$0] }) {
          files[file][index].use = .free
          files[file][index].kind += ", replaced"
        }
        index += 1
      }
      file += 1
    }
  }

  public func byte(_ file: Int, _ offset: Int) -> Byte {
    let region = region(file, offset)
    return Byte(kind: region.kind, use: region.use)
  }

  /// The region that a byte belongs to.
  func region(_ file: Int, _ offset: Int) -> StorageRegion {
    let regions = files[file]
    var low = 0
    var high = regions.count
    while low < high {
      let middle = (low + high) / 2
      if regions[middle].offset + regions[middle].count <= offset {
        low = middle + 1
      } else {
        high = middle
      }
    }
    return regions[low]
  }

  /// The files that somebody misses when they are gone. Not those at a log's end, which may be torn: with such a file
  /// goes what would tell of it.
  public var missedFiles: [Int] {
    files.indices.filter { file in !files[file].contains { $0.use == .tail } }
  }

  /// Every byte that a checksum covers.
  public var sealedBytes: [(file: Int, offset: Int)] {
    var found: [(file: Int, offset: Int)] = []
    for (file, regions) in files.enumerated() {
      for region in regions {
        guard let sum = region.checksumAt else { continue }
        for place in 0..<region.count where place < sum || place >= sum + 4 {
          found.append((file, region.offset + place))
        }
      }
    }
    return found
  }

  /// What the bytes from `offset` to `end`, or to the end of a file, are for; each region once.
  func bytes(_ file: Int, from offset: Int, to end: Int = .max) -> [Byte] {
    var found: [Byte] = []
    for region in files[file]
    where region.offset + region.count > offset && region.offset < end {
      found.append(Byte(kind: region.kind, use: region.use))
    }
    return found
  }

  /// Whether all of what the file has copies of is cut off: then none serves.
  func losesAllCopies(_ damage: Damage) -> Bool {
    if damage.kind == .removed { return true }
    guard damage.kind == .cut, let first = files[damage.file].first(where: { $0.use == .copied })
    else { return false }
    return damage.offset <= first.offset
  }

  /// Bytes of each kind, in order of kinds.
  public var census: [(kind: String, bytes: Int)] {
    var census: [(kind: String, bytes: Int)] = []
    for region in files.joined() {
      if let place = census.firstIndex(where: { $0.kind == region.kind }) {
        census[place].bytes += region.count
      } else {
        census.append((region.kind, region.count))
      }
    }
    return census.sorted { $0.kind < $1.kind }
  }
}
