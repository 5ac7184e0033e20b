/// One call of an engine, as a value: drawn by workloads, kept in histories, printed in reports.
public enum Operation: Hashable, Sendable {
  case get(Bytes, in: TreeName)
  case insert(Bytes, for: Bytes, in: TreeName)
  case remove(Bytes, in: TreeName)
  case compareExchange(Bytes, expected: Bytes?, desired: Bytes?, in: TreeName)
  case scan(KeyRange, Direction, limit: Int, in: TreeName)
  case batch([BatchWrite])
  case flush
  case checkpoint
  case backgroundWork
  /// Takes something that is not in use out of memory. Changes nothing that anybody could read.
  case evict
  /// Moves what is live out of storage that is mostly dead. Changes nothing that anybody could read.
  case clean
  case nextID
  case count(in: TreeName)
  case dropTree(TreeName)
}

/// One write of a batch; a nil value removes.
public struct BatchWrite: Hashable, Sendable {
  public var tree: TreeName
  public var key: Bytes
  public var value: Bytes?
  public init(_ key: Bytes, _ value: Bytes?, in tree: TreeName = .default) {
    self.tree = tree
    self.key = key
    self.value = value
  }
}

/// What an engine answered.
public enum Outcome: Hashable, Sendable {
  /// Of get: the value. Of insert and remove: the former value.
  case value(Bytes?)
  case exchange(exchanged: Bool, original: Bytes?)
  case entries([Entry])
  case identifier(UInt64)
  case number(Int)
  case flag(Bool)
  case done
  case failure(EngineError.Code, message: String, refused: Bool)

  public var isFailure: Bool {
    if case .failure = self { return true }
    return false
  }
}

extension KeyValueEngine {
  /// Performs one operation; an error becomes the outcome `.failure`.
  public func perform(_ operation: Operation) -> Outcome {
    do throws(EngineError) {
      switch operation {
      case .get(let key, let tree): return .value(try get(key, in: tree))
      case .insert(let value, let key, let tree):
        return .value(try insert(value, for: key, in: tree))
      case .remove(let key, let tree): return .value(try remove(key, in: tree))
      case .compareExchange(let key, let expected, let desired, let tree):
        let (exchanged, original) = try compareExchange(
          key, expected: expected, desired: desired, in: tree)
        return .exchange(exchanged: exchanged, original: original)
      case .scan(let range, let direction, let limit, let tree):
        return .entries(try scan(range, direction, limit: limit, in: tree))
      case .batch(let writes):
        try apply(writes)
        return .done
      case .flush:
        try flush()
        return .done
      case .checkpoint:
        try checkpoint()
        return .done
      case .backgroundWork:
        try performBackgroundWork()
        return .done
      case .evict:
        try evict()
        return .done
      case .clean:
        try clean()
        return .done
      case .nextID: return .identifier(try nextID())
      case .count(let tree): return .number(try count(in: tree))
      case .dropTree(let tree): return .flag(try dropTree(tree))
      }
    } catch {
      return .failure(error.code, message: error.message, refused: error.isRefused)
    }
  }
}
