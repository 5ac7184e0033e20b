import Luge
import Platform

// stress [--seconds N] [--threads N] [--seed N] [--directory PATH]
//
// Real threads on one database, everything at once: writes, batches, scans, views held meanwhile, removals of
// ranges, trees made and dropped, eviction under a small budget, flushes, checkpoints, the cleaner, and the
// database closed, dropped and opened again. Every answer is checked against what the threads know of each
// other. Made to be built with ThreadSanitizer and AddressSanitizer; see ci/sanitize. Ends with 1 and
// a list when anything is wrong.

let options = StressOptions(CommandLine.arguments)
let platform = PlatformServices.real
let failures = Failures(platform.threads)
let truth = Truth(options)
let clock = platform.clock
let end = clock.now().advanced(byNanoseconds: UInt64(options.seconds) * 1_000_000_000)
let root = options.directory + "/luge-stress-" + String(platform.entropy.next(), radix: 36)

do {
  try platform.files.createDirectory(root)
  defer { erase(root, platform.files) }
  var round = 0
  var totals = RoundTotals()
  while clock.now() < end && failures.isEmpty {
    round += 1
    let left = (end.nanoseconds - min(end.nanoseconds, clock.now().nanoseconds)) / 1_000_000_000
    let one = Round(
      number: round, seconds: max(1, min(8, Int(left))), options: options, truth: truth,
      failures: failures, platform: platform, directory: root + "/database")
    let counts = try one.run()
    totals.add(counts)
    print("stress: round \(round): \(counts)")
  }
  print(
    "stress: \(round) rounds, \(options.threads) threads, seed \(options.seed): \(totals), "
      + "\(failures.count) failures")
} catch {
  failures.add("an error that ends the run: \(error)")
}
for failure in failures.all { print("FAILED   \(failure)") }
exitProgram(failures.isEmpty ? 0 : 1)
