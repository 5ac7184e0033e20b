import CFuzzDriver
import Foundation

/// A target under libFuzzer.
///
/// Unchecked Sendable: libFuzzer calls from one thread. It lends its buffers for the length of a call.
final class FuzzRun: @unchecked Sendable {
  /// The one that libFuzzer, which passes no context, calls.
  fileprivate static let current = FuzzRun()

  private var target: any FuzzTarget = CompressionTarget()
  fileprivate var knowsStructure = false
  private var runs = 0

  /// Named in the environment too, for the copies of itself that libFuzzer starts.
  static let variable = "LUGE_FUZZ_TARGET"

  /// From here on libFuzzer has inputs for this target; what that has counted is told last.
  static func begin(_ type: any FuzzTarget.Type) {
    // Before any thread.
    unsafe setenv(variable, type.name, 1)
    current.target = type.init()
    current.knowsStructure = type.knowsStructure
    atexit { FuzzRun.current.report() }
  }

  @unsafe
  fileprivate static func bytes(_ data: UnsafePointer<UInt8>?, _ size: Int) -> [UInt8] {
    // Lent for the call, and copied.
    unsafe Array(UnsafeBufferPointer(start: data, count: size))
  }

  @unsafe
  fileprivate static func bytes(_ data: UnsafeMutablePointer<UInt8>?, _ size: Int) -> [UInt8] {
    // Lent for the call, and copied.
    unsafe Array(UnsafeBufferPointer(start: data, count: size))
  }

  @unsafe
  fileprivate static func store(
    _ input: [UInt8], _ data: UnsafeMutablePointer<UInt8>?, _ most: Int
  ) -> Int {
    // libFuzzer has room for `most` bytes there.
    guard let data = unsafe data else { return 0 }
    let count = min(input.count, most)
    for index in 0..<count { unsafe data[index] = input[index] }
    return count
  }

  fileprivate func once(_ input: [UInt8]) -> Int32 {
    runs += 1
    do {
      try target.run(input)
    } catch { fatalError("FINDING: \(error)") }
    return 0
  }

  fileprivate func mutate(_ input: [UInt8], _ most: Int, _ seed: UInt32) -> [UInt8] {
    var input = input
    var mutation = Mutation(seed: UInt64(seed), most: most, plainly: FuzzRun.plainly)
    target.mutate(&input, &mutation)
    return input
  }

  fileprivate func cross(_ left: [UInt8], _ right: [UInt8], _ most: Int, _ seed: UInt32) -> [UInt8]
  {
    var mutation = Mutation(seed: UInt64(seed), most: most, plainly: FuzzRun.plainly)
    if knowsStructure { return target.cross(left, right, &mutation) }
    return left.prefix(mutation.below(left.count + 1))
      + right.suffix(mutation.below(right.count + 1))
  }

  private static func plainly(_ run: [UInt8], _ most: Int) -> [UInt8] {
    let room = max(run.count, most)
    var buffer = run + [UInt8](repeating: 0, count: room - run.count)
    // The array outlives the call, which has `room` bytes to write to.
    let count = unsafe buffer.withUnsafeMutableBufferPointer {
      unsafe fuzz_mutate_plainly($0.baseAddress, run.count, room)
    }
    return Array(buffer.prefix(count))
  }

  /// Lines that begin with "fuzz: ", for `ci/fuzz`.
  private func report() {
    if runs == 0 { return }
    let seconds = Double(fuzz_processor_time()) / 1e9
    let rate = Int(Double(runs) / max(seconds, 1e-9))
    Console.error(
      "fuzz: executions \(runs) in \(Int(seconds)) s of processor time, \(rate) a second")
    Console.means(target, runs: runs, "executed")
  }
}

// What Driver.c calls. Buffers are lent for the call.

@_cdecl("luge_fuzz_once")
func fuzzOnce(_ data: UnsafePointer<UInt8>?, _ size: Int) -> Int32 {
  FuzzRun.current.once(unsafe FuzzRun.bytes(data, size))
}

@_cdecl("luge_fuzz_mutate")
func fuzzMutate(
  _ data: UnsafeMutablePointer<UInt8>?, _ size: Int, _ most: Int, _ seed: UInt32
) -> Int {
  if !FuzzRun.current.knowsStructure { return unsafe fuzz_mutate_plainly(data, size, most) }
  let input = FuzzRun.current.mutate(unsafe FuzzRun.bytes(data, size), most, seed)
  return unsafe FuzzRun.store(input, data, most)
}

@_cdecl("luge_fuzz_cross")
func fuzzCross(
  _ left: UnsafePointer<UInt8>?, _ leftSize: Int, _ right: UnsafePointer<UInt8>?,
  _ rightSize: Int, _ target: UnsafeMutablePointer<UInt8>?, _ most: Int, _ seed: UInt32
) -> Int {
  let one = unsafe FuzzRun.bytes(left, leftSize)
  let other = unsafe FuzzRun.bytes(right, rightSize)
  return unsafe FuzzRun.store(FuzzRun.current.cross(one, other, most, seed), target, most)
}
