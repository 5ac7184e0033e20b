import Platform

@Sendable func checkDirectories(_ files: any FileSystem, _ directory: String) throws {
  let inner = "\(directory)/inner"
  try demand(try files.list(directory), is: [], "a new directory is empty")
  try files.createDirectory(inner)
  try demand(.alreadyExists, "creating a directory twice") { try files.createDirectory(inner) }
  try demand(try files.status(inner)?.isDirectory, is: true, "status tells a directory")
  try demand(try files.status("\(directory)/missing") == nil, "status of nothing is nil")
  try demand(.notFound, "a directory in a missing one") {
    try files.createDirectory("\(directory)/missing/deep")
  }
  // Byte order, which is neither length, nor case-blind, nor any language's order.
  let names = ["10", "9", "B", "a", "aa", "b", "é", "日"]
  for name in names.reversed() { _ = try files.open("\(inner)/\(name)", .createNew) }
  try demand(try files.list(inner), is: names, "names come in byte order")
  // Composed and decomposed: two names, though equal to a reader.
  _ = try files.open("\(inner)/e\u{301}", .createNew)
  try demand(try files.list(inner).count, is: names.count + 1, "names are bytes")
  try demand(try files.list(directory), is: ["inner"], "a listing does not descend")
  try demand(.notFound, "listing what is missing") { _ = try files.list("\(directory)/missing") }
  try demand(.notADirectory, "listing a file") { _ = try files.list("\(inner)/a") }
  try demand(.alreadyExists, "a directory over a file") { try files.createDirectory("\(inner)/a") }
}

@Sendable func checkRenaming(_ files: any FileSystem, _ directory: String) throws {
  let (from, to) = ("\(directory)/from", "\(directory)/to")
  let file = try files.open(from, .createNew)
  try file.writeFully([1], at: 0)
  let replaced = try files.open(to, .createNew)
  try replaced.writeFully([2], at: 0)
  try files.rename(from, to: to)
  try demand(try files.list(directory), is: ["to"], "a rename replaces")
  let opened = try files.open(to, .read)
  try demand(try opened.readFully(at: 0, count: 1), is: [1], "the new name has the contents")
  try demand(try replaced.readFully(at: 0, count: 1), is: [2], "the replaced file lives on")
  try file.writeFully([3], at: 0)
  try demand(try opened.readFully(at: 0, count: 1), is: [3], "handles follow the file")
  try files.rename(to, to: to)
  try demand(try files.list(directory), is: ["to"], "a rename to itself changes nothing")
  try demand(.notFound, "renaming what is missing") { try files.rename(from, to: to) }
  try demand(.notFound, "renaming into a missing directory") {
    try files.rename(to, to: "\(directory)/missing/to")
  }
  try files.createDirectory("\(directory)/inner")
  try files.rename(to, to: "\(directory)/inner/moved")
  try demand(try files.list("\(directory)/inner"), is: ["moved"], "a rename moves")
  _ = try files.open(from, .createNew)
  try demand(.isADirectory, "a file over a directory") {
    try files.rename(from, to: "\(directory)/inner")
  }
}

@Sendable func checkRemoving(_ files: any FileSystem, _ directory: String) throws {
  let path = "\(directory)/file"
  let file = try files.open(path, .createNew)
  try file.writeFully([1, 2], at: 0)
  try files.remove(path)
  try demand(try files.status(path) == nil, "a removed name is gone")
  try file.writeFully([3], at: 2)
  try demand(try file.readFully(at: 0, count: 3), is: [1, 2, 3], "an open file outlives its name")
  let again = try files.open(path, .createNew)
  try demand(try again.size(), is: 0, "a new file of the name is another file")
  try demand(.notFound, "removing what is missing") { try files.remove("\(directory)/missing") }
  let inner = "\(directory)/inner"
  try files.createDirectory(inner)
  try demand(.isADirectory, "removing a directory as a file") { try files.remove(inner) }
  _ = try files.open("\(inner)/name", .createNew)
  try demand(.notEmpty, "removing a directory that holds names") {
    try files.removeDirectory(inner)
  }
  try demand(.notADirectory, "removing a file as a directory") {
    try files.removeDirectory(path)
  }
  try files.remove("\(inner)/name")
  try files.removeDirectory(inner)
  try demand(try files.list(directory), is: ["file"], "an empty directory goes")
  try demand(.notFound, "removing a missing directory") { try files.removeDirectory(inner) }
}

@Sendable func checkLocks(_ files: any FileSystem, _ directory: String) throws {
  let path = "\(directory)/lock"
  let first = try files.lock(path)
  try demand(try files.list(directory), is: ["lock"], "a lock creates its file")
  try demand(.locked, "a second owner") { _ = try files.lock(path) }
  try demand(.locked, "and again") { _ = try files.lock(path) }
  let other = try files.lock("\(directory)/other")
  let file = try files.open(path, .readWrite)
  try file.writeFully([1], at: 0)
  file.close()
  try demand(.locked, "closing another handle keeps the lock") { _ = try files.lock(path) }
  first.release()
  first.release()
  var second: (any FileLock)? = try files.lock(path)
  try demand(.locked, "the new owner holds it") { _ = try files.lock(path) }
  first.release()
  try demand(.locked, "a late release is not the new owner's") { _ = try files.lock(path) }
  withExtendedLifetime(second) {}
  second = nil
  try files.lock(path).release()
  other.release()
  try demand(.notFound, "a lock in a missing directory") {
    _ = try files.lock("\(directory)/missing/lock")
  }
}

@Sendable func checkBadArguments(_ files: any FileSystem, _ directory: String) throws {
  let file = try files.open("\(directory)/file", .createNew)
  try file.writeFully([1], at: 0)
  try demand(.invalidArgument, "reading before the start") {
    _ = try file.readFully(at: -1, count: 1)
  }
  try demand(.invalidArgument, "writing before the start") { try file.writeFully([1], at: -1) }
  try demand(.invalidArgument, "a negative length") { try file.truncate(to: -1) }
  try demand(.invalidArgument, "a negative request") {
    _ = try file.readParallel([ReadRequest(offset: 0, length: -1)])
  }
  try demand(.invalidArgument, "a name with a NUL") {
    _ = try files.open("\(directory)/a\0b", .createNew)
  }
  try demand(.notFound, "the empty path") { _ = try files.open("", .read) }
  try demand(try file.size(), is: 1, "refused calls change nothing")
  do { _ = try files.open("\(directory)/nothing", .read) } catch {
    try demand(error.path, is: "\(directory)/nothing", "an error names its path")
    try demand(error.operation, is: "open", "an error names its call")
  }
}
