public import EngineKit

/// Transfers between accounts conserve the total, at every recovery and in every whole snapshot scan.
///
/// The accounts are the keys of one tree with one prefix; a balance is eight bytes, signed,
/// big-endian (`balance(_:)`). All accounts must be created by one batch, and each transfer must be one
/// batch: so before the creation there is no account at all, and afterwards the total never changes.
///
/// Sound: by that rule every prefix of the commit order has no account or the whole total. For an engine
/// without `.prefixDurability`, each pair of accounts must also have one owner: then whole batches are enough.
public final class ConservedTotal: Checker {
  public let property = "conserved-total"
  private let tree: TreeName
  private let accounts: KeyRange
  private let total: Int64

  public init(tree: TreeName, prefix: Bytes, total: Int64) {
    self.tree = tree
    self.accounts = .prefix(prefix)
    self.total = total
  }

  /// A balance as a value.
  public static func balance(_ amount: Int64) -> Bytes {
    var bytes = Bytes(repeating: 0, count: 8)
    var rest = UInt64(bitPattern: amount)
    var place = 7
    while place >= 0 {
      bytes[place] = UInt8(truncatingIfNeeded: rest)
      rest >>= 8
      place -= 1
    }
    return bytes
  }

  /// The balance that a value holds; nil when it is none.
  public static func amount(_ value: Bytes) -> Int64? {
    guard value.count == 8 else { return nil }
    var word: UInt64 = 0
    for byte in value { word = word << 8 | UInt64(byte) }
    return Int64(bitPattern: word)
  }

  public func observe(_ event: HistoryEvent, in context: JudgeContext) {
    if context.isBeyondContract { return }
    switch event {
    case .recovered(let state):
      check(state.entries(in: tree), "after recovery", context)
    case .returned(let call, .entries(let entries)):
      guard context.capabilities.contains(.snapshotScans),
        case .scan(let range, _, let limit, let scanned) = call.operation,
        scanned == tree, limit > entries.count, range == .all || range == accounts
      else { return }
      check(entries, "in \(Described.operation(call.operation))", context)
    default: break
    }
  }

  private func check(_ entries: [Entry], _ place: String, _ context: JudgeContext) {
    var sum: Int64 = 0
    var count = 0
    for entry in entries where accounts.contains(entry.key) {
      guard let amount = Self.amount(entry.value) else {
        context.report(
          property,
          "\(Described.key(entry.key, in: tree)) holds no balance \(place): "
            + Described.bytes(entry.value))
        return
      }
      sum &+= amount
      count += 1
    }
    if count > 0, sum != total {
      context.report(property, "the total of \(count) accounts is \(sum), not \(total), \(place)")
    }
  }
}

extension CheckerPlan {
  /// For accounts in `tree` whose keys begin with `prefix`.
  public static func conservedTotal(
    tree: TreeName, prefix: Bytes, total: Int64
  ) -> CheckerPlan {
    CheckerPlan("conserved-total", "Transfers between accounts conserve the total.") {
      ConservedTotal(tree: tree, prefix: prefix, total: total)
    }
  }
}
