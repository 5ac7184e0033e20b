import Testing

@testable import SimulationKit

/// A small model of two threads over shared variables, outside of any engine: what `TraceSearch` explores here can
/// be counted by other means.
private struct Model {
  enum Instruction: Equatable {
    /// Reads a variable into the thread's register.
    case read(Int)
    /// Writes a variable: a number, or the register and a number.
    case write(Int, Int)
    case writeRegister(Int, adding: Int)
    /// Passes over the next so many where the register is not this number.
    case skip(Int, unless: Int)
    /// Sets the variable where it is 0; else waits until it is given back, and tries again.
    case lock(Int)
    case unlock(Int)
  }

  /// What one step touched.
  struct Access: Equatable {
    var variable: Int
    var writes: Bool
  }

  var programs: [[Instruction]]
  var variables: Int

  /// A run: threads and accesses of the steps, and what was there at the end.
  struct Run {
    var steps: [TraceSearch.Step] = []
    var accesses: [Access?] = []
    var end: [Int] = []

    func conflict(_ one: Int, _ other: Int) -> Bool {
      guard let left = accesses[one], let right = accesses[other] else { return false }
      return left.variable == right.variable && (left.writes || right.writes)
    }

    /// The same for runs that order alike what conflicts, and for no others: each step by thread and number, with
    /// the steps of the other thread before it that it conflicts with.
    var trace: [[Int]] {
      var counts = [0, 0]
      var names: [(thread: Int, number: Int)] = []
      for step in steps {
        names.append((step.thread, counts[step.thread]))
        counts[step.thread] += 1
      }
      var lines: [[Int]] = []
      for (place, name) in names.enumerated() {
        var line = [name.thread, name.number]
        for earlier in 0..<place
        where names[earlier].thread != name.thread && conflict(earlier, place) {
          line.append(names[earlier].number)
        }
        lines.append(line)
      }
      return lines.sorted { ($0[0], $0[1]) < ($1[0], $1[1]) } + [end]
    }
  }

  /// Runs as `threads` says, and then each thread until it ends or waits. Nil: `threads` asks for the impossible.
  func run(_ threads: [Int]) -> Run? {
    var run = Run()
    var memory = [Int](repeating: 0, count: variables)
    var registers = [0, 0]
    var places = [0, 0]
    var awaited = [-1, -1]
    func canRun(_ thread: Int) -> Bool {
      places[thread] < programs[thread].count && awaited[thread] < 0
    }
    func step(_ thread: Int) {
      run.steps.append(TraceSearch.Step(thread: thread, hadChoice: canRun(1 - thread)))
      let instruction = programs[thread][places[thread]]
      places[thread] += 1
      var access: Access?
      switch instruction {
      case .read(let variable):
        registers[thread] = memory[variable]
        access = Access(variable: variable, writes: false)
      case .write(let variable, let value):
        memory[variable] = value
        access = Access(variable: variable, writes: true)
      case .writeRegister(let variable, let adding):
        memory[variable] = registers[thread] + adding
        access = Access(variable: variable, writes: true)
      case .skip(let count, let value):
        if registers[thread] != value { places[thread] += count }
      case .lock(let variable):
        access = Access(variable: variable, writes: true)
        if memory[variable] == 0 {
          memory[variable] = 1
        } else {
          awaited[thread] = variable
          places[thread] -= 1
        }
      case .unlock(let variable):
        memory[variable] = 0
        access = Access(variable: variable, writes: true)
        if awaited[1 - thread] == variable { awaited[1 - thread] = -1 }
      }
      run.accesses.append(access)
    }
    for thread in threads {
      if !canRun(thread) { return nil }
      step(thread)
    }
    var thread = threads.last ?? 0
    while true {
      if !canRun(thread) { thread = 1 - thread }
      if !canRun(thread) { break }
      step(thread)
    }
    run.end = memory + registers
    return run
  }

  /// The traces that the search runs, and the search.
  func explored() -> (runs: [Run], search: TraceSearch) {
    var search = TraceSearch()
    var runs: [Run] = []
    while let threads = search.next() {
      guard let run = run(threads) else {
        Issue.record("\(threads) cannot be run by \(programs)")
        break
      }
      search.ran(run.steps) { run.conflict($0, $1) }
      runs.append(run)
    }
    return (runs, search)
  }

  /// Every interleaving there is.
  func interleavings() -> [Run] {
    var all: [Run] = []
    func extend(_ threads: [Int]) {
      guard let run = run(threads) else { return }
      if run.steps.count == threads.count { return all.append(run) }
      for thread in 0..<2 { extend(threads + [thread]) }
    }
    extend([])
    return all
  }
}

@Suite struct TraceSearchTests {
  private func traces(_ one: [Model.Instruction], _ other: [Model.Instruction]) -> Int {
    Model(programs: [one, other], variables: 4).explored().runs.count
  }

  /// Numbers that anybody can count.
  @Test func textbookExamplesHaveAsManyTracesAsTheyHave() {
    // Nothing shared: one. A write beside n reads: n + 1. n writes beside m: every interleaving, (n + m) over n.
    #expect(traces([.write(0, 1), .read(0)], [.write(1, 1), .read(1)]) == 1)
    #expect(traces([.read(0), .read(0)], [.read(0), .read(0)]) == 1)
    for reads in 1...6 {
      #expect(traces([.write(0, 1)], Array(repeating: .read(0), count: reads)) == reads + 1)
    }
    #expect(traces([.write(0, 1), .write(0, 2)], [.write(0, 3), .write(0, 4)]) == 6)
    #expect(
      traces(
        [.write(0, 1), .write(0, 2), .write(0, 3)], [.write(0, 4), .write(0, 5), .write(0, 6)])
        == 20)
    // Store buffers (Dekker): of four orders of two pairs one is a circle.
    #expect(traces([.write(0, 1), .read(1)], [.write(1, 1), .read(0)]) == 3)
    // Messages: data, then flag; flag, then data.
    #expect(traces([.write(0, 1), .write(1, 1)], [.read(1), .read(0)]) == 3)
    // Independent pairs multiply: two variables, each written by both.
    #expect(traces([.write(0, 1), .write(1, 1)], [.write(0, 2), .write(1, 2)]) == 4)
    // Two increments that are not atomic: four ways.
    let increment: [Model.Instruction] = [.read(0), .writeRegister(0, adding: 1)]
    #expect(traces(increment, increment) == 4)
    // With a lock, one of the two is first, and the other one comes while it is held, or after it.
    let guarded: [Model.Instruction] = [.lock(1)] + increment + [.unlock(1)]
    #expect(traces(guarded, guarded) == 4)
  }

  /// A seeded race: one of the ways loses an increment, and it is found. With a lock there is none.
  @Test func aLostUpdateIsFound() {
    let increment: [Model.Instruction] = [.read(0), .writeRegister(0, adding: 1)]
    let racing = Model(programs: [increment, increment], variables: 2).explored()
    #expect(Set(racing.runs.map { $0.end[0] }) == [1, 2])
    let guarded: [Model.Instruction] = [.lock(1)] + increment + [.unlock(1)]
    let locked = Model(programs: [guarded, guarded], variables: 2).explored()
    #expect(Set(locked.runs.map { $0.end[0] }) == [2])
  }

  /// Exactly one run a trace: the same traces as all interleavings together have, each once, for thousands of
  /// programs that branch on what they read, and wait.
  @Test func eachTraceOnceAndNoneLeftOut() {
    var random = SplitMix64(seed: 7)
    func draw(_ bound: Int) -> Int { Int(random.next() % UInt64(bound)) }
    func program() -> [Model.Instruction] {
      var program: [Model.Instruction] = []
      let length = 1 + draw(5)
      while program.count < length {
        switch draw(8) {
        case 0, 1: program.append(.read(draw(2)))
        case 2, 3: program.append(.write(draw(2), 1 + draw(2)))
        case 4: program.append(.writeRegister(draw(2), adding: draw(2)))
        case 5: program.append(.skip(1 + draw(2), unless: draw(2)))
        default:
          let lock = 2 + draw(2)
          program += [
            .lock(lock), draw(2) == 0 ? .read(draw(2)) : .write(draw(2), 3), .unlock(lock),
          ]
        }
      }
      return program
    }
    var largest = 0
    for _ in 0..<1500 {
      let model = Model(programs: [program(), program()], variables: 4)
      let (runs, search) = model.explored()
      let found = Set(runs.map(\.trace))
      #expect(found.count == runs.count, "twice: \(model.programs)")
      #expect(found == Set(model.interleavings().map(\.trace)), "\(model.programs)")
      #expect(search.redundantRuns == 0 && !search.isLost && search.pending == 0)
      largest = max(largest, runs.count)
    }
    #expect(largest > 30, "\(largest)")
  }

  /// What was not followed is noticed, and nothing is claimed of it.
  @Test func aRunThatIsNotTheOneAskedForEndsTheSearch() {
    var search = TraceSearch()
    #expect(search.next() == [])
    let steps = [0, 0, 1, 1].map { TraceSearch.Step(thread: $0, hadChoice: true) }
    search.ran(steps) { _, _ in true }
    #expect(search.pending == 1)
    #expect(search.next() == [0, 1])
    search.ran([steps[0], steps[1], steps[2], steps[3]]) { _, _ in true }
    #expect(search.isLost && search.next() == nil)
  }
}
