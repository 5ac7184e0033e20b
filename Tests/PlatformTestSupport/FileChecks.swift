import Platform

@Sendable func checkOpenModes(_ files: any FileSystem, _ directory: String) throws {
  let path = "\(directory)/file"
  try demand(.notFound, "reading what is missing") { _ = try files.open(path, .read) }
  try demand(.notFound, "changing what is missing") { _ = try files.open(path, .readWrite) }
  let first = try files.open(path, .createNew)
  try demand(first.path, is: path, "a file knows its path")
  try demand(try first.size(), is: 0, "a new file is empty")
  try demand(.alreadyExists, "creating what is there") { _ = try files.open(path, .createNew) }
  try first.writeFully([1, 2, 3], at: 0)
  let second = try files.open(path, .readWriteOrCreate)
  try demand(try second.readFully(at: 0, count: 3), is: [1, 2, 3], "handles share contents")
  let reader = try files.open(path, .read)
  try demand(try reader.readFully(at: 1, count: 2), is: [2, 3], "a reader reads")
  try demand(.invalidArgument, "writing through a reader") { try reader.writeFully([9], at: 0) }
  try demand(.invalidArgument, "truncating through a reader") { try reader.truncate(to: 0) }
  try demand(try second.size(), is: 3, "a refused write changes nothing")
  try demand(.isADirectory, "reading a directory") { _ = try files.open(directory, .read) }
  try demand(.isADirectory, "writing a directory") { _ = try files.open(directory, .readWrite) }
  try demand(.notFound, "creating in a missing directory") {
    _ = try files.open("\(directory)/missing/file", .createNew)
  }
  try demand(.notADirectory, "creating below a file") {
    _ = try files.open("\(path)/below", .readWriteOrCreate)
  }
}

@Sendable func checkReadingAndWriting(_ files: any FileSystem, _ directory: String) throws {
  let file = try files.open("\(directory)/file", .createNew)
  let bytes = pattern(70_000, seed: 1)
  try file.writeFully(bytes, at: 0)
  try demand(try file.readFully(at: 0, count: 70_000) == bytes, "what was written is read")
  for (offset, count) in [(0, 1), (16_383, 2), (511, 4_097), (32_768, 16_384), (69_999, 1)] {
    let found = try file.readFully(at: Int64(offset), count: count)
    try demand(found == Array(bytes[offset..<offset + count]), "reads at \(offset)+\(count)")
  }
  var mirror = bytes
  for (offset, count) in [(16_380, 8), (1, 512), (40_000, 20_000), (69_990, 100)] {
    let change = pattern(count, seed: offset)
    try file.writeFully(change, at: Int64(offset))
    if offset + count > mirror.count {
      mirror += [UInt8](repeating: 0, count: offset + count - mirror.count)
    }
    mirror.replaceSubrange(offset..<offset + count, with: change)
  }
  try demand(try file.size(), is: Int64(mirror.count), "a write beyond the end lengthens")
  try demand(try file.readFully(at: 0, count: mirror.count) == mirror, "overwrites in place")

  var beyond = [UInt8](repeating: 7, count: 64)
  let read = try file.readAvailable(at: Int64(mirror.count - 4), into: &beyond)
  try demand(read, is: 4, "a read over the end is cut")
  try demand(beyond[4], is: 7, "a read leaves the rest of the buffer alone")
  try demand(try file.readAvailable(at: 1 << 40, into: &beyond), is: 0, "beyond the end is nothing")
  try demand(.endOfFile, "a whole read over the end") {
    _ = try file.readFully(at: Int64(mirror.count - 4), count: 5)
  }
  try file.writeFully([UInt8](), at: 1 << 30)
  try demand(try file.size(), is: Int64(mirror.count), "writing nothing changes nothing")
}

@Sendable func checkLengths(_ files: any FileSystem, _ directory: String) throws {
  let file = try files.open("\(directory)/file", .createNew)
  try file.writeFully([5], at: 100_000)
  try demand(try file.size(), is: 100_001, "a write behind a gap")
  let gap = try file.readFully(at: 0, count: 100_001)
  try demand(gap.dropLast().allSatisfy { $0 == 0 } && gap.last == 5, "a gap reads as zeros")
  try file.writeFully(pattern(60_000, seed: 3), at: 0)
  try file.truncate(to: 20_001)
  try demand(try file.size(), is: 20_001, "truncate shortens")
  try file.truncate(to: 50_000)
  try demand(try file.size(), is: 50_000, "truncate lengthens")
  let found = try file.readFully(at: 0, count: 50_000)
  try demand(found[20_000], is: pattern(60_000, seed: 3)[20_000], "truncate keeps what is before")
  try demand(found[20_001...].allSatisfy { $0 == 0 }, "what was cut off does not come back")
  try file.truncate(to: 0)
  try demand(try file.size(), is: 0, "truncate empties")
  let status = try files.status("\(directory)/file")
  try demand(status?.size, is: 0, "status shows the length")
  try demand(status?.isDirectory, is: false, "a file is no directory")
}

@Sendable func checkAllocation(_ files: any FileSystem, _ directory: String) throws {
  let path = "\(directory)/file"
  let file = try files.open(path, .createNew)
  try file.writeFully([1, 2, 3], at: 0)
  do { try file.allocate(offset: 0, length: 262_144) } catch {
    try demand(error.code, is: .unsupported, "allocation works or says that it does not")
    return
  }
  try demand(try file.size(), is: 262_144, "allocating lengthens")
  try demand(try file.readFully(at: 0, count: 5), is: [1, 2, 3, 0, 0], "contents stay")
  try demand(try file.readFully(at: 262_000, count: 2), is: [0, 0], "new blocks read as zeros")
  let allocated = try files.status(path)?.allocatedSize ?? 0
  try demand(allocated >= 262_144, "blocks are allocated: \(allocated)")
  try file.allocate(offset: 0, length: 100)
  try demand(try file.size(), is: 262_144, "allocating within never shortens")
}

@Sendable func checkHoles(_ files: any FileSystem, _ directory: String) throws {
  let path = "\(directory)/file"
  let file = try files.open(path, .createNew)
  var mirror = pattern(1_048_576, seed: 4)
  try file.writeFully(mirror, at: 0)
  try file.syncAll()
  let before = try files.status(path)?.allocatedSize ?? 0
  try demand(before >= 1_048_576, "written bytes are allocated: \(before)")
  do { try file.punchHole(offset: 65_536, length: 786_432) } catch {
    try demand(error.code, is: .unsupported, "holes work or the call says that they do not")
    return
  }
  mirror.replaceSubrange(65_536..<851_968, with: repeatElement(0, count: 786_432))
  try demand(try file.readFully(at: 0, count: mirror.count) == mirror, "a hole reads as zeros")
  try file.syncAll()
  let after = try files.status(path)?.allocatedSize ?? 0
  try demand(after <= before - 700_000, "a hole gives blocks back: \(before) to \(after)")
  try file.punchHole(offset: 1_000, length: 100)
  mirror.replaceSubrange(1_000..<1_100, with: repeatElement(0, count: 100))
  try demand(try file.readFully(at: 0, count: mirror.count) == mirror, "a small hole is exact")
  try file.punchHole(offset: 1_048_000, length: 1_048_576)
  try demand(try file.size(), is: 1_048_576, "a hole never lengthens")
  try file.writeFully([8, 8], at: 400_000)
  try demand(
    try file.readFully(at: 399_999, count: 4), is: [0, 8, 8, 0], "a hole can be written again")
}

@Sendable func checkParallelReads(_ files: any FileSystem, _ directory: String) throws {
  let file = try files.open("\(directory)/file", .createNew)
  let bytes = pattern(100_000, seed: 5)
  try file.writeFully(bytes, at: 0)
  try demand(try file.readParallel([]).count, is: 0, "no requests, no results")
  let places = [(90_000, 4_096), (0, 10), (50_000, 1), (20, 0), (0, 10), (16_000, 20_000)]
  let found = try file.readParallel(
    places.map { ReadRequest(offset: Int64($0.0), length: $0.1) })
  try demand(found.count, is: places.count, "one result a request")
  for (result, place) in zip(found, places) {
    try demand(result == Array(bytes[place.0..<place.0 + place.1]), "in the order of requests")
  }
  try demand(.endOfFile, "one request over the end") {
    _ = try file.readParallel([
      ReadRequest(offset: 0, length: 4), ReadRequest(offset: 99_999, length: 2),
    ])
  }
}

@Sendable func checkClosing(_ files: any FileSystem, _ directory: String) throws {
  let path = "\(directory)/file"
  let file = try files.open(path, .createNew)
  let other = try files.open(path, .readWrite)
  try file.writeFully([1], at: 0)
  file.close()
  file.close()
  try demand(.invalidArgument, "reading a closed file") { _ = try file.readFully(at: 0, count: 1) }
  try demand(.invalidArgument, "writing a closed file") { try file.writeFully([1], at: 0) }
  try demand(.invalidArgument, "syncing a closed file") { try file.syncData() }
  try demand(.invalidArgument, "size of a closed file") { _ = try file.size() }
  try demand(.invalidArgument, "truncating a closed file") { try file.truncate(to: 0) }
  try demand(try other.readFully(at: 0, count: 1), is: [1], "other handles stay open")
}

@Sendable func checkSyncs(_ files: any FileSystem, _ directory: String) throws {
  let file = try files.open("\(directory)/file", .createNew)
  try file.writeFully([1, 2], at: 0)
  try file.syncData()
  try file.syncAll()
  try files.syncDirectory(directory)
  try demand(try file.readFully(at: 0, count: 2), is: [1, 2], "syncs change nothing")
  try demand(.notFound, "syncing a missing directory") {
    try files.syncDirectory("\(directory)/missing")
  }
  try demand(.notADirectory, "syncing a file as a directory") {
    try files.syncDirectory("\(directory)/file")
  }
}
