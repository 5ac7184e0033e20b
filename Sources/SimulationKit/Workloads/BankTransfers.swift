public import EngineKit
internal import HistoryKit

/// Money moves between the two accounts that a client owns, each transfer one atomic batch. The money
/// of a pair is the same at every crash, whatever was lost.
public struct BankTransfers: Workload {
  /// An even number; two for each client.
  public var accounts: Int
  /// What a pair holds in all.
  static let total: UInt64 = 1000

  public init(accounts: Int, clients: Int) {
    self.accounts = max(2, accounts)
    self.clients = 1...max(1, min(clients, accounts / 2))
  }

  public let clients: ClosedRange<Int>
  public var summary: String { "transfers between the accounts of a pair; no money is lost" }
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
    let amount = lane.draw("amount", below: BankTransfers.total)
    transfer(amount, pair: pair, client)
    return true
  }

  private func transfer(_ amount: UInt64, pair: Int, _ client: Client) {
    let from = account(2 * pair)
    let to = account(2 * pair + 1)
    guard case .value(let found) = client.perform(.get(from, in: .default)) else { return }
    // An account that is not there yet is opened with all the money.
    let balance = found.flatMap(Payload.number) ?? BankTransfers.total
    let moved = (balance + amount) % (BankTransfers.total + 1)
    _ = client.perform(
      .batch([
        BatchWrite(from, Payload.decimal(moved, digits: 6)),
        BatchWrite(to, Payload.decimal(BankTransfers.total - moved, digits: 6)),
      ]))
  }

  private func account(_ number: Int) -> Bytes {
    Payload.decimal(UInt64(number), digits: 4, prefix: [0x61])
  }

  func recovered(_ state: RecoveredState) -> [String] {
    var problems: [String] = []
    let entries = state.entries(in: .default)
    var pair = 0
    while pair < pairs {
      let from = account(2 * pair)
      let to = account(2 * pair + 1)
      let left = entries.first { $0.key == from }?.value
      let right = entries.first { $0.key == to }?.value
      if left != nil || right != nil {
        let sum = left.flatMap(Payload.number).flatMap { left in
          right.flatMap(Payload.number).map { left + $0 }
        }
        if sum != BankTransfers.total {
          problems.append(
            "pair \(pair) holds \(sum.map(String.init) ?? "half of itself"), not "
              + "\(BankTransfers.total)")
        }
      }
      pair += 1
    }
    return problems
  }
}
