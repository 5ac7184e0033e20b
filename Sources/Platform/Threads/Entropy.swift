/// Random bits from outside. In a simulation they come from the choice tape.
public protocol Entropy: Sendable {
  func next() -> UInt64
}
