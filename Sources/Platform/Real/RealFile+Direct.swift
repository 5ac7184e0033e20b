internal import CPlatform
internal import Synchronization

// Reads past the system's cache. What is read once in a great while would push something else out of that
// cache, and to fill it costs as much as the device takes: where memory is short, several times as much.

/// A second descriptor of a file, for such reads: opened by the first of them, if the system permits it.
final class DirectDescriptor: Sendable {
  private enum State {
    case unopened
    case open(Descriptor)
    case refused
  }

  private let state = Mutex(State.unopened)

  /// Nil where there is none, or the file is closed.
  func descriptor(_ file: Descriptor, _ path: String) -> Descriptor? {
    state.withLock { state in
      switch state {
      case .open(let descriptor): return descriptor
      case .refused: return nil
      case .unopened:
        let number = try? file.use("open", path) { number in
          unsafe path.withCString { unsafe platform_open_direct(number, $0) }
        }
        guard let number, number >= 0 else {
          state = .refused
          return nil
        }
        let descriptor = Descriptor(number)
        state = .open(descriptor)
        return descriptor
      }
    }
  }

  /// No such reads from here on.
  func close() {
    state.withLock { state in
      if case .open(let descriptor) = state { descriptor.close() }
      state = .refused
    }
  }
}

/// One read, in whole blocks of the device.
private struct AlignedRead {
  /// A power of two; most devices have blocks of 512 bytes or say that they have.
  static let block: Int64 = 512
  static let alignment = 4096

  let first: Int64
  let lead: Int
  let length: Int
  /// So many of them are asked for; the end of the file may follow.
  let needed: Int

  /// Bytes of memory for it, so that the next one's is aligned too.
  var room: Int { (length + AlignedRead.alignment - 1) & ~(AlignedRead.alignment - 1) }

  init(_ offset: Int64, _ count: Int) {
    first = offset & ~(AlignedRead.block - 1)
    lead = Int(offset - first)
    needed = lead + count
    length = (needed + Int(AlignedRead.block) - 1) & ~(Int(AlignedRead.block) - 1)
  }
}

extension RealFileSystem {
  /// Reads all of it past the system's cache, side by side; nil when that cannot be, for whatever reason:
  /// who then reads as always is told the reason, if it is one.
  static func readDirectly(_ requests: [FileRead]) -> [[UInt8]]? {
    if requests.count > Int(PLATFORM_DIRECT_READS) { return nil }
    var descriptors: [Descriptor] = []
    var reads: [AlignedRead] = []
    var bytes = 0
    for request in requests {
      guard let file = request.file as? RealFile, request.length > 0, request.offset >= 0,
        let descriptor = file.direct.descriptor(file.descriptor, file.path)
      else { return nil }
      let read = AlignedRead(request.offset, request.length)
      descriptors.append(descriptor)
      reads.append(read)
      bytes += read.room
    }
    guard let memory = unsafe platform_direct_memory(bytes) else { return nil }
    defer { unsafe platform_direct_memory_give_back(memory, bytes) }
    guard unsafe read(reads, descriptors, into: memory) else { return nil }
    var results: [[UInt8]] = []
    results.reserveCapacity(requests.count)
    var place = 0
    var index = 0
    while index < requests.count {
      let (read, count) = (reads[index], requests[index].length)
      let start = unsafe memory + place + read.lead
      // The read was complete, so `count` bytes are there.
      results.append(
        unsafe [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
          unsafe UnsafeMutableRawBufferPointer(buffer).baseAddress?.copyMemory(
            from: start, byteCount: count)
          initialized = count
        })
      place += read.room
      index += 1
    }
    return results
  }

  /// False when one of them failed, or its file ends within it.
  private static func read(
    _ reads: [AlignedRead], _ descriptors: [Descriptor], into memory: UnsafeMutableRawPointer
  ) -> Bool {
    var list = unsafe [platform_direct_read]()
    unsafe list.reserveCapacity(reads.count)
    var place = 0
    for read in reads {
      var entry = unsafe platform_direct_read()
      unsafe entry.buffer = memory + place
      unsafe entry.count = read.length
      unsafe entry.offset = read.first
      unsafe list.append(entry)
      place += read.room
    }
    // Each descriptor stays open within the calls of those before.
    return unsafe use(descriptors, from: 0, &list) && isWhole(list, reads)
  }

  @unsafe
  private static func use(
    _ descriptors: [Descriptor], from index: Int, _ list: inout [platform_direct_read]
  ) -> Bool {
    if index == descriptors.count {
      return unsafe list.withUnsafeMutableBufferPointer {
        unsafe platform_read_direct($0.baseAddress, Int32($0.count)) == 0
      }
    }
    let isDone = try? descriptors[index].use("pread", "") { number in
      unsafe list[index].descriptor = number
      return unsafe use(descriptors, from: index + 1, &list)
    }
    return isDone ?? false
  }

  private static func isWhole(
    _ list: [platform_direct_read], _ reads: [AlignedRead]
  ) -> Bool {
    var index = 0
    while index < reads.count {
      if unsafe list[index].taken < reads[index].needed { return false }
      index += 1
    }
    return true
  }
}
