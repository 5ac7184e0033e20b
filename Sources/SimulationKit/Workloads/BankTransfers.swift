public import EngineKit
public import HistoryKit

/// Money moves between the two accounts that a client owns, each transfer one atomic batch. All accounts
/// are opened by one batch too, so the money of the bank is the same at every crash, or there is none.
public struct BankTransfers: Workload {
  /// An even number; two for each client.
  public let accounts: Int
  public let clients: ClosedRange<Int>
  /// What each account holds at first.
  static let opening: Int64 = 1000
  static let prefix: Bytes = [0x61]

  public init(accounts: Int, clients: Int) {
    self.accounts = max(2, accounts / 2 * 2)
    self.clients = 1...max(1, min(clients, accounts / 2))
  }

  public var summary: String { "transfers between the accounts of a pair; no money is lost" }
  public var largestWrite: Int { 1024 }
  public var requiredCapabilities: EngineCapabilities { .batches }

  public func prepare(_ lane: ChoiceLane, for world: WorkloadWorld) -> any WorkloadRun {
    BankTransfersRun(
      pairs: accounts / 2, flushOneIn: 8 << Int(lane.draw("flushRarity", below: 5)))
  }
}

extension Workload where Self == BankTransfers {
  public static func bankTransfers(accounts: Int, clients: Int) -> BankTransfers {
    BankTransfers(accounts: accounts, clients: clients)
  }
}

extension CheckerPlan {
  /// No crash makes or loses money of a bank with so many accounts.
  public static func conservedTotal(accounts: Int) -> CheckerPlan {
    .conservedTotal(
      tree: .default, prefix: BankTransfers.prefix,
      total: BankTransfers.opening * Int64(accounts))
  }
}

final class BankTransfersRun: WorkloadRun {
  private let pairs: Int
  private let flushOneIn: Int

  init(pairs: Int, flushOneIn: Int) {
    self.pairs = pairs
    self.flushOneIn = flushOneIn
  }

  func step(_ client: Client) -> Bool {
    let lane = client.lane
    guard let dice = client.nextKind(flushOneIn, in: lane) else { return false }
    if dice == 1 {
      _ = client.perform(.flush)
      return true
    }
    // Pairs are dealt to clients in turn.
    let own = (pairs - client.index + client.count - 1) / client.count
    let pair = client.index + client.count * Int(lane.draw("pair", below: UInt64(max(own, 1))))
    transfer(Int64(lane.draw("amount", below: 1000)), pair: min(pair, pairs - 1), client)
    return true
  }

  /// Reads one balance; the other follows, since the two of a pair always hold the same together.
  private func transfer(_ amount: Int64, pair: Int, _ client: Client) {
    let from = account(2 * pair)
    let to = account(2 * pair + 1)
    guard case .value(let found) = client.perform(.get(from, in: .default)) else { return }
    guard let balance = found.flatMap(ConservedTotal.amount) else { return open(client) }
    let whole = 2 * BankTransfers.opening
    let left = (balance + amount) % (whole + 1)
    _ = client.perform(
      .batch([
        BatchWrite(from, ConservedTotal.balance(left)),
        BatchWrite(to, ConservedTotal.balance(whole - left)),
      ]))
  }

  /// Opens all accounts at once. Done twice it moves all money back, and the total stays.
  private func open(_ client: Client) {
    var writes: [BatchWrite] = []
    while writes.count < 2 * pairs {
      writes.append(
        BatchWrite(account(writes.count), ConservedTotal.balance(BankTransfers.opening)))
    }
    _ = client.perform(.batch(writes))
  }

  private func account(_ number: Int) -> Bytes {
    Payload.decimal(UInt64(number), digits: 4, prefix: BankTransfers.prefix)
  }
}
