import Foundation
import Synchronization

/// What threads reach that take numbers from one word, without any engine: the limit of ids that are larger
/// than all those returned before. The word moves between the threads' processors with each turn.
enum BareCounter {
  /// Takes `each` numbers on each of so many threads, and checks that they ascend, as the workload does.
  static func run(threads: Int, each: Int) throws -> Measurement {
    // A word on cache lines of its own; processors fetch them in pairs.
    let memory = UnsafeMutableRawPointer.allocate(byteCount: 256, alignment: 128)
    defer { memory.deallocate() }
    let word = memory.initializeMemory(as: Atomic<UInt64>.self, to: Atomic(1))
    let address = UInt(bitPattern: word)
    let crew = try Crew<Int>(threads).run { _, start, finish in
      let word = UnsafeMutablePointer<Atomic<UInt64>>(bitPattern: address)!
      start()
      var former: UInt64?
      for _ in 0..<each {
        let next = word.pointee.wrappingAdd(1, ordering: .relaxed).oldValue
        if let former, next <= former { throw BenchmarkError("a counter does not ascend") }
        former = next
      }
      finish()
      return each
    }
    var measurement = Measurement()
    measurement.operations = crew.results.reduce(0, +)
    measurement.seconds = crew.seconds
    return measurement
  }
}
