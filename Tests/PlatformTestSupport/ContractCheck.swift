public import Platform

/// A promise of the file-system contract that an implementation does not keep.
public struct ContractViolation: Error, CustomStringConvertible {
  public var description: String
}

/// One part of the contract, tried in an empty directory of its own.
public struct FileSystemCheck: Sendable, CustomStringConvertible {
  public var name: String
  var body: @Sendable (any FileSystem, String) throws -> Void

  public var description: String { name }

  /// Runs the check in `root`/`name`, which it creates. The names stay behind.
  public func run(_ files: any FileSystem, root: String) throws {
    let directory = "\(root)/\(name)"
    try files.createDirectory(directory)
    do { try body(files, directory) } catch let error as PlatformError {
      throw ContractViolation(description: "\(name): unexpected error: \(error)")
    }
  }
}

/// What every `FileSystem` keeps: run it against a new implementation, in an existing directory.
/// Faults must be switched off. Throws a `ContractViolation` at the first promise not kept.
public func checkFileSystemContract(_ files: any FileSystem, root: String) throws {
  for check in fileSystemChecks { try check.run(files, root: root) }
}

/// The parts, to be run one by one; a new part is a function and a line here.
public let fileSystemChecks: [FileSystemCheck] = [
  FileSystemCheck(name: "open-modes", body: checkOpenModes),
  FileSystemCheck(name: "reading-and-writing", body: checkReadingAndWriting),
  FileSystemCheck(name: "lengths", body: checkLengths),
  FileSystemCheck(name: "allocation", body: checkAllocation),
  FileSystemCheck(name: "holes", body: checkHoles),
  FileSystemCheck(name: "parallel-reads", body: checkParallelReads),
  FileSystemCheck(name: "closing", body: checkClosing),
  FileSystemCheck(name: "syncs", body: checkSyncs),
  FileSystemCheck(name: "directories", body: checkDirectories),
  FileSystemCheck(name: "renaming", body: checkRenaming),
  FileSystemCheck(name: "removing", body: checkRemoving),
  FileSystemCheck(name: "locks", body: checkLocks),
  FileSystemCheck(name: "bad-arguments", body: checkBadArguments),
]

func demand(
  _ condition: Bool, _ promise: @autoclosure () -> String, line: Int = #line
) throws {
  if !condition { throw ContractViolation(description: "\(promise()) (line \(line))") }
}

func demand<Value: Equatable>(
  _ found: Value, is wanted: Value, _ promise: @autoclosure () -> String, line: Int = #line
) throws {
  try demand(found == wanted, "\(promise()): found \(found), wanted \(wanted)", line: line)
}

/// Demands that `body` throws an error with this code.
func demand(
  _ code: PlatformError.Code, _ promise: @autoclosure () -> String, line: Int = #line,
  from body: () throws -> Void
) throws {
  do { try body() } catch let error as PlatformError {
    try demand(error.code, is: code, "\(promise()) (\(error))", line: line)
    return
  }
  throw ContractViolation(description: "\(promise()): no error, wanted \(code) (line \(line))")
}

/// Bytes that differ from place to place and from file to file.
func pattern(_ count: Int, seed: Int) -> [UInt8] {
  (0..<count).map { UInt8(truncatingIfNeeded: ($0 &* 31 &+ seed &* 17) ^ ($0 >> 8)) }
}
