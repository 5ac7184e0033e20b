import Platform
import SimulationKit
import Testing

/// What a simulation makes of the memory that an engine tells it of. (Engines tell only in a build with the
/// trait `SchedulePoints`; these tests tell by themselves.)
@Suite struct SharedMemoryTests {
  private func simulation(keepsFreed: Bool) -> Simulation {
    let simulation = Simulation(tape: ChoiceTape(driver: ReplayDriver([])))
    simulation.keepsFreedMemory = keepsFreed
    return simulation
  }

  @Test func touchingAFreedBlockIsReportedWithFreeAndUse() {
    let simulation = simulation(keepsFreed: false)
    let went = Shared(0)
    let end = simulation.runProcess("engine") {
      simulation.allocated(0x10000, 96)
      simulation.touched(0x10008)
      let other = try! simulation.threads.spawn("other") {
        simulation.probe("test.other")
        #expect(!simulation.freed(0x10000, 96, isOwn: false))
      }
      try! simulation.threads.join(other)
      simulation.probe("test.main")
      went.value += 1
      simulation.touched(0x10000 + 95)
      went.value += 1
    }
    guard case .brokenMemory(let text) = end else {
      Issue.record("\(end)")
      return
    }
    #expect(went.value == 1)
    #expect(text.contains("engine (t1) touches byte 95 of a block of 96 bytes"))
    #expect(text.contains("after test.main"))
    #expect(text.contains("t2 freed it at call") && text.hasSuffix("after test.other"))
    #expect(!end.isCrash)
  }

  @Test func whatIsAllocatedAgainOrGivenBackMayBeTouched() {
    let simulation = simulation(keepsFreed: false)
    let end = simulation.runProcess("engine") {
      simulation.allocated(0x2FFF0, 64)
      _ = simulation.freed(0x2FFF0, 64, isOwn: false)
      // Neighbours on both sides, the second in another region of the map.
      simulation.touched(0x2FFE8)
      simulation.touched(0x30030)
      simulation.allocated(0x2FFF0, 64)
      simulation.touched(0x30000)
      _ = simulation.freed(0x2FFF0, 64, isOwn: false)
      simulation.returned(0x20000, 0x20000)
      simulation.touched(0x30000)
      simulation.touched(0x2FFF0)
    }
    #expect(end == .finished)
  }

  @Test func blocksNeverFreedAreCounted() {
    let simulation = simulation(keepsFreed: true)
    let end = simulation.runProcess("engine") {
      simulation.allocated(0x1000, 16)
      simulation.allocated(0x2000, 32)
      simulation.allocated(0x3000, 8)
      // Kept: the simulation says so, and would deallocate one of its own.
      #expect(simulation.freed(0x1000, 16, isOwn: false))
    }
    #expect(end == .finished)
    #expect(simulation.leak?.hasPrefix("2 blocks of 40 bytes were never freed") == true)
    #expect(simulation.runProcess("next") {} == .finished)
    #expect(simulation.leak == nil)
  }
}
