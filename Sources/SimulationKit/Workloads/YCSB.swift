internal import EngineKit

/// The Yahoo! Cloud Serving Benchmark's core workloads A to F: records are loaded, then operations
/// drawn from the standard mixes, keys by the standard distributions. The database is small, so that crashes
/// find it in every state: 40 to 103 records, values of 8 to 127 bytes.
public struct YCSB: Workload {
  /// Shares in percent; keys are zipfian unless said.
  public enum Mix: String, CaseIterable, Sendable {
    /// 50 read, 50 update.
    case a
    /// 95 read, 5 update.
    case b
    /// 100 read.
    case c
    /// 95 read, 5 insert; the latest records are read most.
    case d
    /// 95 scan of 1 to 100 records from a zipfian key, 5 insert.
    case e
    /// 50 read, 50 read-modify-write.
    case f
  }

  public var mix: Mix
  public init(_ mix: Mix) { self.mix = mix }

  public var summary: String {
    switch mix {
    case .a: "50 % read, 50 % update, zipfian"
    case .b: "95 % read, 5 % update, zipfian"
    case .c: "100 % read, zipfian, over records loaded just before"
    case .d: "95 % read of the latest, 5 % insert"
    case .e: "95 % scan, 5 % insert"
    case .f: "50 % read, 50 % read-modify-write, zipfian"
    }
  }
  public var largestWrite: Int { 1024 }

  public func prepare(_ lane: ChoiceLane, for world: WorkloadWorld) -> any WorkloadRun {
    let records = 40 + Int(lane.draw("records", below: 64))
    return YCSBRun(
      mix, records: min(records, max(1, world.operations / 4)),
      valueLength: 8 + Int(lane.draw("valueLength", below: 120)),
      flushOneIn: 16 << Int(lane.draw("flushRarity", below: 5)))
  }
}

extension Workload where Self == YCSB {
  public static func ycsb(_ mix: YCSB.Mix) -> YCSB { YCSB(mix) }
}

final class YCSBRun: WorkloadRun {
  private let mix: YCSB.Mix
  private let valueLength: Int
  private let flushOneIn: Int
  /// Records to load before the mix begins.
  private let initialRecords: Int
  private var loaded = 0
  /// Records that exist, or would if none had been lost.
  private var records = 0
  private var scrambledKeys: [Bytes] = []

  init(_ mix: YCSB.Mix, records: Int, valueLength: Int, flushOneIn: Int) {
    self.mix = mix
    self.initialRecords = records
    self.valueLength = valueLength
    self.flushOneIn = flushOneIn
  }

  func step(_ client: Client) -> Bool {
    if loaded < initialRecords { return load(client) }
    // The standard shares, and now and then a flush: YCSB leaves durability to the database.
    let lane = client.lane
    guard let dice = client.nextKind(100 * flushOneIn, in: lane) else { return false }
    if dice % flushOneIn == 1 {
      _ = client.perform(.flush)
      return true
    }
    mixed(client, lane, percent: dice / flushOneIn)
    return true
  }

  private func load(_ client: Client) -> Bool {
    guard client.nextKind(1, in: client.lane("load")) != nil else {
      loaded = initialRecords
      return true
    }
    loaded += 1
    insertNext(client)
    return true
  }

  private func mixed(_ client: Client, _ lane: ChoiceLane, percent: Int) {
    switch mix {
    case .a: percent < 50 ? read(zipfianKey(lane), client) : update(client, lane)
    case .b: percent < 95 ? read(zipfianKey(lane), client) : update(client, lane)
    case .c: read(zipfianKey(lane), client)
    case .d:
      if percent < 95 {
        let rank = ZipfianDraw.rank(lane, below: max(records, 1))
        read(key(max(records - 1 - rank, 0)), client)
      } else {
        insertNext(client)
      }
    case .e: percent < 95 ? scan(client, lane) : insertNext(client)
    case .f:
      if percent < 50 {
        read(zipfianKey(lane), client)
      } else {
        let key = zipfianKey(lane)
        let outcome = client.perform(.get(key, in: .default))
        if !outcome.isFailure { write(key, client) }
      }
    }
  }

  private func read(_ key: Bytes, _ client: Client) {
    _ = client.perform(.get(key, in: .default))
  }

  private func update(_ client: Client, _ lane: ChoiceLane) { write(zipfianKey(lane), client) }

  private func write(_ key: Bytes, _ client: Client) {
    _ = client.perform(.insert(client.value(length: valueLength), for: key, in: .default))
  }

  private func insertNext(_ client: Client) {
    let key = key(records)
    records += 1
    write(key, client)
  }

  private func scan(_ client: Client, _ lane: ChoiceLane) {
    let from = zipfianKey(lane)
    let length = 1 + Int(lane.draw("scanLength", below: 100))
    _ = client.perform(.scan(KeyRange(lower: from), .forward, limit: length, in: .default))
  }

  private func zipfianKey(_ lane: ChoiceLane) -> Bytes {
    key(ZipfianDraw.rank(lane, below: max(records, 1)))
  }

  private func key(_ number: Int) -> Bytes {
    while scrambledKeys.count <= number {
      scrambledKeys.append(Payload.scatteredKey(scrambledKeys.count))
    }
    return scrambledKeys[number]
  }
}
