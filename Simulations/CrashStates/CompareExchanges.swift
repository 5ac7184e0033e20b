public import SimulationKit

extension CrashRun {
  public static let compareExchanges = CrashRun(
    "compare-exchanges", "a counter that is exchanged, beside a key that comes and goes"
  ) { run in
    var last = run.value(8)
    run.exchange("counter", nil, last)
    for turn in 0..<24 {
      let next = run.value(8 + turn)
      run.exchange("counter", last, next)
      last = next
      if turn % 3 == 0 { run.exchange("other", nil, next) } else { run.remove("other") }
      if turn % 6 == 5 { run.flush() }
    }
  }
}
