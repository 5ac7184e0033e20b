import EngineAdapters
import EngineKit
import Scenarios
import SimulationKit
import Testing

@Suite struct CatalogueTests {
  @Test func namesAreUniqueAndFound() {
    let names = Catalogue.all.map(\.name)
    #expect(Set(names).count == names.count)
    for name in names { #expect(Catalogue.named(name)?.name == name) }
    #expect(Catalogue.named("no such scenario") == nil)
  }

  @Test func whatMustFailIsNotAmongTheUsual() {
    #expect(Catalogue.all.contains { $0.mustFail })
    #expect(!Catalogue.usual.contains { $0.mustFail })
  }

  @Test func theFoundationIsThere() {
    let expected = [
      "ycsb-a", "ycsb-b", "ycsb-c", "ycsb-d", "ycsb-e", "ycsb-f", "sequential-writes", "batches",
      "iteration", "bank-transfers", "words", "random-torture", "canary",
    ]
    for name in expected { #expect(Catalogue.named(name) != nil, "\(name)") }
  }
}
