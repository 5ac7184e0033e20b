import Luge
import Platform
import SimulationKit

// counters OPERATION COUNT [ENTRIES]
//
// Does COUNT operations of one kind on a database of ENTRIES entries (20,000 unless said) whose files
// are in memory, with no thread of its own, and prints what they asked of the file system, one JSON
// object. The same operations on every run: so instructions and allocations can be counted from
// outside, by the difference of two counts. See ci/engine-counters.

let arguments = CommandLine.arguments
guard arguments.count >= 3, let operation = Operation(rawValue: arguments[1]),
  let count = Int(arguments[2]), count >= 0,
  let entries = arguments.count > 3 ? Int(arguments[3]) : 20_000, entries > 0
else {
  let names = Operation.allCases.map(\.rawValue).joined(separator: ", ")
  fatalError("usage: counters OPERATION COUNT [ENTRIES]; operations: \(names)")
}

do {
  var subject = try Subject(entries: entries, isLoaded: operation.needsEntries)
  let before = subject.files.counts
  try subject.perform(operation, count)
  let done = subject.files.counts.since(before)
  try subject.check(operation, count)
  print(
    "{\"operation\":\"\(operation.rawValue)\",\"count\":\(count),\"syncs\":\(done.syncs),"
      + "\"writes\":\(done[.write]),\"bytesWritten\":\(done.bytesWritten),"
      + "\"reads\":\(done[.read] + done[.readParallel]),\"bytesRead\":\(done.bytesRead),"
      + "\"opens\":\(done[.open])}")
} catch {
  fatalError("counters: \(error)")
}
