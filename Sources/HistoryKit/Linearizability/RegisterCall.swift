/// One call of a history of one register. Values are numbers that the caller gives to what the register
/// held: equal numbers are equal values, 0 is what it held at the start.
///
/// Times are places in the order of all events of the history, from 0: no two are equal.
public struct RegisterCall: Sendable, Hashable {
  public enum Kind: UInt8, Sendable {
    /// Found `value`.
    case read
    /// Set it to `value`.
    case write
    /// Found `expected` and set it to `value`: a compare-exchange that exchanged, or a write that told what it replaced.
    case exchange
    /// Found anything but `expected`: a compare-exchange that did not exchange and did not tell what it found.
    case mismatch
  }

  public var kind: Kind
  public var value: Int32
  public var expected: Int32
  public var invoked: Int32
  /// `.max`: it did not return, or not with an answer. It may have taken effect at any time after its invocation, or
  /// never; a write then is blind, an exchange did what it says or nothing.
  public var returned: Int32

  public init(
    _ kind: Kind, value: Int32 = 0, expected: Int32 = 0, invoked: Int32, returned: Int32 = .max
  ) {
    self.kind = kind
    self.value = value
    self.expected = expected
    self.invoked = invoked
    self.returned = returned
  }

  /// Whether it may be left out of the order.
  @inlinable public var isOptional: Bool { returned == .max }
  /// Whether it leaves the register as it was, whatever that was.
  @inlinable public var changesNothing: Bool { kind == .read || kind == .mismatch }
}

/// A register with compare-exchange, as a sequential model. Its state is the number of its value.
public struct RegisterModel: SequentialModel {
  public init() {}

  @inlinable
  public func apply(_ call: RegisterCall, to state: Int32) -> Int32? {
    switch call.kind {
    case .read: call.value == state ? state : nil
    case .write: call.value
    case .exchange: call.expected == state ? call.value : nil
    case .mismatch: call.expected == state ? nil : state
    }
  }

  @inlinable
  public func changesNothing(_ call: RegisterCall) -> Bool { call.changesNothing }

  @inlinable
  public func areAlike(_ one: RegisterCall, _ other: RegisterCall) -> Bool {
    one.kind == other.kind && one.value == other.value && one.expected == other.expected
  }

  @inlinable
  public func overwrites(_ call: RegisterCall) -> Bool { call.kind == .write }
}
