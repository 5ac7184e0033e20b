import Testing

@testable import Luge

@Suite struct CleaningPolicyTests {
  private func segment(_ serial: UInt64, _ live: Int, of bytes: Int = 1 << 20)
    -> PageSegments.Segment
  {
    PageSegments.Segment(serial: serial, stream: .hot, fileBytes: bytes, liveBytes: live)
  }

  private let policy = CleaningPolicy(target: 750)

  @Test func nothingIsDoneWhileEnoughIsLive() {
    #expect(policy.victim([], nextSerial: 1) == nil)
    let full = [segment(1, 1 << 20), segment(2, 900_000), segment(3, 600_000)]
    #expect(policy.victim(full, nextSerial: 4) == nil)
    // What holds nothing live goes by itself, and weighs nothing.
    #expect(policy.victim(full + [segment(4, 0)], nextSerial: 5) == nil)
  }

  @Test func theEmptiestGoesFirst() {
    let segments = [segment(1, 900_000), segment(2, 100_000), segment(3, 200_000)]
    #expect(policy.victim(segments, nextSerial: 4) == 2)
    #expect(policy.victim(segments, nextSerial: 4, excluded: [2]) == 3)
    #expect(policy.victim(segments, nextSerial: 4, excluded: [2, 3]) == nil)
  }

  @Test func ofTwoAlikeTheOlderGoesFirst() {
    let segments = [segment(3, 300_000), segment(7, 300_000), segment(9, 1 << 20)]
    #expect(policy.victim(segments, nextSerial: 10) == 3)
    // What was written long ago and is fairly full is worth more than what is still being emptied.
    let aged = [segment(1, 500_000), segment(999, 400_000), segment(1000, 400_000)]
    #expect(policy.victim(aged, nextSerial: 1001) == 1)
  }

  @Test func whatIsFullerThanTheTargetIsLeft() {
    // All together there is too little, but what could be gained lies in one segment.
    let segments = [segment(1, 790_000), segment(2, 10_000), segment(3, 790_000)]
    #expect(policy.victim(segments, nextSerial: 4) == 2)
    #expect(policy.victim(segments, nextSerial: 4, excluded: [2]) == nil)
  }

  @Test func extremesDoNotTrap() {
    let largest = segment(1, 1 << 30, of: 1 << 31)
    #expect(policy.victim([largest, segment(2, 1, of: 1 << 31)], nextSerial: 1 << 32) == 2)
    #expect(policy.victim([segment(9, 1)], nextSerial: 0) == 9)
  }
}
