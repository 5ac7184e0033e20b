import Platform
import Synchronization
import Testing

@testable import Luge

@Suite struct RedoLogThreadTests {
  @Test func threadsFillAndFlushTogether() throws {
    // Thread slots are the process's: suites that run beside this one hold some.
    var settings = LogFixture.small
    settings.ringBytes = 128 << 10
    settings.maximumThreads = 24
    let fixture = try LogFixture(settings: settings)
    let log = fixture.log
    let made = Mutex<[(lsn: UInt64, payload: [UInt8])]>([])
    let failures = Mutex<[String]>([])
    var threads: [ThreadID] = []
    for number in 0..<4 {
      threads.append(
        try fixture.platform.threads.spawn("writer \(number)") {
          var random = SplitMix(UInt64(100 + number))
          do {
            for _ in 0..<800 {
              let commit = try LogFixture.commit(log, random.bytes(random.below(700)))
              made.withLock { $0.append((commit.lsn, commit.payload)) }
              if random.below(20) == 0 {
                let tail = log.tail
                try log.flush(through: tail)
                if !log.isDurable(tail) { failures.withLock { $0.append("not durable") } }
              }
            }
          } catch { failures.withLock { $0.append("\(error)") } }
        })
    }
    for thread in threads { try fixture.platform.threads.join(thread) }
    try log.flush()
    #expect(failures.withLock { $0 } == [])
    let commits = made.withLock { $0 }.sorted { $0.lsn < $1.lsn }
      .map { LogFixture.Commit(lsn: $0.lsn, payload: $0.payload) }
    #expect(commits.count == 3200)
    #expect(try LogFixture.scan(fixture.platform.files).commits == commits)
  }
}
