import Platform

@testable import Luge

/// Images of small databases with changes: opened, read, verified, written to. The input names the image, says what is done
/// with it, and lists changes (`ImageEdit`); each may have the checksum of what it changed put right, so that what is
/// behind the checksum is met.
///
/// What must hold: nothing traps or hangs. Forward and backward show the same keys in order. Where one file was changed, the redo in one place only, and no
/// checksum put right, whatever is read without an error is what the database held, or held before the last group of its redo.
final class RecoveryTarget: FuzzTarget {
  static let name = "recovery"
  static let summary = "changed images of small databases: opened, read, verified, written to"
  static let longestInput = 2 + 64 * ImageEdit.bytes
  static let knowsStructure = true

  private let images: [DatabaseImage]
  private var opened = 0
  private var read = 0

  init() {
    do {
      images = try ImageCatalogue.all()
    } catch { fatalError("the images of small databases cannot be made: \(error)") }
  }

  var counts: [(name: String, count: Int)] { [("opened", opened), ("read to the end", read)] }

  /// What is done besides reading.
  private struct Actions: OptionSet {
    var rawValue: UInt8
    static let verifies = Actions(rawValue: 1)
    static let writes = Actions(rawValue: 2)
    static let checkpoints = Actions(rawValue: 4)
    static let cleans = Actions(rawValue: 8)
    static let evicts = Actions(rawValue: 16)
    static let closes = Actions(rawValue: 32)
    static let readsKeys = Actions(rawValue: 64)
  }

  func run(_ input: [UInt8]) throws {
    var reader = InputReader(input)
    let image = images[reader.below(images.count)]
    let actions = Actions(rawValue: reader.byte())
    var files = image.files
    // As long as only bytes were changed, of one file, checksums tell: that the newest superblock is gone the redo
    // says, if it is there.
    var isTold = true
    var edits = 0
    while reader.remaining > 0 {
      let edit = ImageEdit(&reader)
      if !edit.apply(to: &files, image) { isTold = false }
      edits += edit.isWide ? 2 : 1
    }
    let changed = zip(files, image.files).filter { $0.bytes != $1.bytes }.map(\.0.name)
    // A group that is damaged is told of by the one behind it: not when that is damaged as well.
    let isRedo = changed.contains { $0.hasPrefix("redo-") }
    if changed.count > 1 || (isRedo && edits > 1) { isTold = false }
    let system = try DatabaseImage.files(files)
    var platform = PlatformServices.inMemory()
    platform.files = system
    let session = ImageSession(image, platform, isTold: isTold)
    if try session.open() { opened += 1 } else { return }
    if try session.readAll() { read += 1 }
    if actions.contains(.readsKeys) { try session.readKeys() }
    if actions.contains(.verifies) { try session.verify() }
    if actions.contains(.evicts) { try session.evict() }
    if actions.contains(.writes) { try session.write() }
    if actions.contains(.checkpoints) { try session.checkpoint() }
    if actions.contains(.cleans) { try session.clean() }
    if actions.contains(.closes) { try session.close() }
    session.end()
    // What was written may be opened again.
    if try session.open() { _ = try session.readAll() }
  }

  // MARK: Structure

  func mutate(_ input: inout [UInt8], _ mutation: inout Mutation) {
    var head = Array(input.prefix(2))
    while head.count < 2 { head.append(UInt8(truncatingIfNeeded: mutation.next())) }
    var edits = ImageEdit.split(Array(input.dropFirst(2)))
    let place = mutation.below(edits.count)
    switch mutation.below(10) {
    case 0: head[0] = UInt8(mutation.below(images.count))
    case 1: head[1] = UInt8(truncatingIfNeeded: mutation.next())
    case 2, 3: edits.append(mutation.bytes(ImageEdit.bytes))
    case 4 where !edits.isEmpty: edits.remove(at: place)
    case 5 where !edits.isEmpty:
      edits.append(edits[place])
      edits[edits.count - 1][3] &+= UInt8(mutation.below(9))
    case 6 where !edits.isEmpty:
      edits[place][mutation.below(ImageEdit.bytes)] = UInt8(truncatingIfNeeded: mutation.next())
    case 7 where !edits.isEmpty:
      edits[place][3 + mutation.below(2)] &+= UInt8(truncatingIfNeeded: mutation.next() % 5) &- 2
    default:
      let room = max(8, mutation.most - 2)
      let body = edits.flatMap { $0 }
      let changed = mutation.plainly(body.isEmpty ? mutation.bytes(ImageEdit.bytes) : body, room)
      edits = ImageEdit.split(changed)
    }
    input = Array((head + edits.flatMap { $0 }).prefix(mutation.most))
  }

  func cross(_ left: [UInt8], _ right: [UInt8], _ mutation: inout Mutation) -> [UInt8] {
    let one = ImageEdit.split(Array(left.dropFirst(2)))
    let other = ImageEdit.split(Array(right.dropFirst(2)))
    let edits =
      one.prefix(mutation.below(one.count + 1)) + other.suffix(mutation.below(other.count + 1))
    return Array(left.prefix(2)) + edits.flatMap { $0 }
  }

  func seeds() -> [[UInt8]] {
    var seeds: [[UInt8]] = []
    for (place, image) in images.enumerated() {
      let first = UInt8(place)
      seeds.append([first, 0xFF])
      // A bit of each structure, its checksum put right and not.
      for (number, span) in image.spans.enumerated() {
        let offset = number * 7 % span.length
        for operation in [UInt8(0), ImageEdit.repairs] {
          seeds.append(
            [
              first, 0x7F, operation, UInt8(number & 0xFF), UInt8(number >> 8),
              UInt8(offset & 0xFF),
            ]
              + [UInt8(offset >> 8), 1, 0, 0])
        }
      }
    }
    return seeds
  }
}
