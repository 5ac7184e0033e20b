internal import CrashRuns
internal import EngineKit
internal import SimulationKit

/// The runs whose calls fail in turn: those whose crash states are looked at, and a longer one. Nothing
/// happens in them by itself, so that calls have numbers.
enum FailureRuns {
  static let all: [CrashRun] =
    [everything] + RunCatalogue.all.filter { !$0.settings.automaticBackgroundWork }

  static func named(_ name: String) -> CrashRun? { all.first { $0.name == name } }

  private static let everything = CrashRun("everything", "a little of each, twice") { run in
    for number in 0..<10 { run.put("k\(number)", bytes: 40) }
    run.put("large", bytes: 300)
    run.put("other", in: "tree")
    run.nextID()
    run.flush()
    run.checkpoint()
    run.batch([("b1", 20), ("b2", 20), ("k3", nil)])
    run.flush()
    run.evict()
    run.evict()
    run.get("k1")
    run.put("k1", bytes: 400)
    run.get("large")
    run.scan()
    run.reopen()
    run.get("k5")
    run.put("large", bytes: 500)
    run.remove("k6")
    run.checkpoint()
    run.clean()
    run.work()
    run.put("k8")
    run.drop("tree")
    run.flush()
    run.kill()
    run.put("k9", bytes: 200)
    run.flush()
    run.get("large")
    run.scan(.backward)
    run.checkpoint()
    run.nextID()
  }
}
