import Testing

@testable import Luge

/// Which of a segment's two header copies counts when a crash came between them.
@Suite struct RedoSegmentHeaderTests {
  private func header(incarnation: UInt64, base: UInt64) -> RedoSegmentHeader {
    RedoSegmentHeader(
      serial: 1, incarnation: incarnation, base: base, payloadBytes: 16384, superblockSequence: 1)
  }

  /// An incarnation may begin below a base that an earlier one prepared and never made durable.
  @Test func aLaterIncarnationReplacesAHigherBase() {
    let old = header(incarnation: 3, base: 45056)
    let new = header(incarnation: 4, base: 28672)
    #expect(new.replaces(old))
    #expect(!old.replaces(new))
  }

  @Test func withinAnIncarnationTheHigherBaseCounts() {
    let old = header(incarnation: 3, base: 28672)
    let new = header(incarnation: 3, base: 45056)
    #expect(new.replaces(old))
    #expect(!old.replaces(new))
  }

  /// A spare holds nothing, and any segment made of it replaces it.
  @Test func aSegmentReplacesTheSpareItWas() {
    #expect(header(incarnation: 1, base: 4096).replaces(header(incarnation: 0, base: 0)))
  }
}
