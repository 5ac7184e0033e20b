internal import EngineKit
internal import HistoryKit

/// Turns calls into the bytes of `CallLogFormat`.
struct CallLogEncoder {
  private(set) var bytes: [UInt8] = []

  /// Replaces what is in `bytes` by the record of a call.
  mutating func encode(_ call: LoggedCall) {
    bytes.removeAll(keepingCapacity: true)
    number(UInt32(0))
    number(UInt32(0))
    bytes.append(kind(of: call))
    payload(call)
    let length = UInt32(bytes.count - CallLogFormat.recordHead)
    put(length, at: 0)
    put(CallLogFormat.checksum(bytes[8...], seed: length), at: 4)
  }

  private func kind(of call: LoggedCall) -> UInt8 {
    typealias Kind = CallLogFormat.Kind
    switch call {
    case .open: return Kind.open
    case .close: return Kind.close
    case .createDirectory: return Kind.createDirectory
    case .write: return Kind.write
    case .truncate: return Kind.truncate
    case .allocate: return Kind.allocate
    case .punchHole: return Kind.punchHole
    case .rename: return Kind.rename
    case .remove: return Kind.remove
    case .removeDirectory: return Kind.removeDirectory
    case .syncBegan: return Kind.syncBegan
    case .directorySyncBegan: return Kind.directorySyncBegan
    case .syncEnded: return Kind.syncEnded
    case .settled: return Kind.settled
    case .mark(.subject): return Kind.subject
    case .mark(.began): return Kind.began
    case .mark(.ended): return Kind.ended
    case .mark(.opened): return Kind.opened
    case .mark(.recovered): return Kind.recovered
    case .mark(.closed): return Kind.closed
    case .mark(.crashed): return Kind.crashed
    }
  }

  private mutating func payload(_ call: LoggedCall) {
    switch call {
    case .open(let handle, let path, let creates):
      number(handle)
      text(path)
      flag(creates)
    case .close(let handle): number(handle)
    case .createDirectory(let path), .remove(let path), .removeDirectory(let path): text(path)
    case .write(let handle, let offset, let written):
      number(handle)
      number(offset)
      string(written)
    case .truncate(let handle, let length):
      number(handle)
      number(length)
    case .allocate(let handle, let offset, let length),
      .punchHole(let handle, let offset, let length):
      number(handle)
      number(offset)
      number(length)
    case .rename(let path, let other):
      text(path)
      text(other)
    case .syncBegan(let sync, let handle, let isFull):
      number(sync)
      number(handle)
      flag(isFull)
    case .directorySyncBegan(let sync, let path):
      number(sync)
      text(path)
    case .syncEnded(let sync, let succeeded):
      number(sync)
      flag(succeeded)
    case .settled: break
    case .mark(let mark): payload(mark)
    }
  }

  private mutating func payload(_ mark: CallMark) {
    switch mark {
    case .subject(let engine, let directory, let settings):
      text(engine)
      text(directory)
      flag(settings.automaticBackgroundWork)
      number(settings.segmentSize)
      optional(settings.pageSegmentSize.map { UInt64($0) })
      number(settings.pageSize)
      optional(settings.flushInterval)
      number(settings.checkpointInterval)
      number(settings.memoryBudget)
      let ways = DataCompression.allCases
      let way = settings.compression.flatMap { ways.firstIndex(of: $0) } ?? -1
      raw([UInt8(way + 1)])
    case .began(let call, let client, let wanted):
      number(call)
      number(UInt32(client))
      operation(wanted)
    case .ended(let call, let answer):
      number(call)
      outcome(answer)
    case .opened, .closed, .crashed: break
    case .recovered(let state):
      number(UInt32(state.trees.count))
      for tree in state.trees {
        text(tree.name)
        entries(tree.forward)
      }
    }
  }

  // MARK: Parts

  mutating func raw(_ more: [UInt8]) { bytes += more }

  mutating func byte(_ value: UInt8) { bytes.append(value) }

  mutating func flag(_ value: Bool) { bytes.append(value ? 1 : 0) }

  mutating func number(_ value: UInt32) {
    var shift: UInt32 = 0
    while shift < 32 {
      bytes.append(UInt8(truncatingIfNeeded: value >> shift))
      shift += 8
    }
  }

  mutating func number(_ value: UInt64) {
    number(UInt32(truncatingIfNeeded: value))
    number(UInt32(truncatingIfNeeded: value >> 32))
  }

  mutating func number(_ value: Int) { number(UInt64(bitPattern: Int64(value))) }

  mutating func optional(_ value: UInt64?) {
    flag(value != nil)
    if let value { number(value) }
  }

  mutating func string(_ value: [UInt8]) {
    number(UInt32(value.count))
    bytes += value
  }

  mutating func optional(_ value: [UInt8]?) {
    flag(value != nil)
    if let value { string(value) }
  }

  mutating func text(_ value: String) { string(Array(value.utf8)) }

  mutating func entries(_ list: [Entry]) {
    number(UInt32(list.count))
    for entry in list {
      string(entry.key)
      string(entry.value)
    }
  }

  private mutating func put(_ value: UInt32, at place: Int) {
    var index = 0
    while index < 4 {
      bytes[place + index] = UInt8(truncatingIfNeeded: value >> UInt32(8 * index))
      index += 1
    }
  }
}
