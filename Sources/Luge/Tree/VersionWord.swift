/// The state of a record or of a commit descriptor, coded in one word.
///
/// ```
/// BITS  DESCRIPTION
/// 0-1   0 pending, 1 committed, 2 transaction (records only), 3 aborted
/// 2     pending only: the writer keeps losing to readers that push, so help by stamping
/// 3-63  pending: B, no LSN reserved below B can become this one's LSN
///       committed: the LSN
///       transaction: address of the descriptor whose word says the state
/// ```
/// LSNs are multiples of 8 and addresses of 16, so their low bits are free. Committed and aborted
/// are final.
enum VersionWord {
  static let stateMask: UInt64 = 3
  static let pending: UInt64 = 0
  static let committed: UInt64 = 1
  static let transaction: UInt64 = 2
  static let aborted: UInt64 = 3
  static let helpWanted: UInt64 = 4
  static let bodyMask: UInt64 = ~7

  @inline(__always) static func state(_ word: UInt64) -> UInt64 { word & stateMask }
  @inline(__always) static func body(_ word: UInt64) -> UInt64 { word & bodyMask }
}
