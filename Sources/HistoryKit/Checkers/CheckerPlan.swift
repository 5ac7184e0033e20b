/// How to make a checker, by name: what scenarios list and tools print.
public struct CheckerPlan: Sendable {
  /// The property, as "durability".
  public let name: String
  /// One line: what it convicts.
  public let summary: String
  public let make: @Sendable () -> any Checker

  public init(
    _ name: String, _ summary: String, _ make: @escaping @Sendable () -> any Checker
  ) {
    self.name = name
    self.summary = summary
    self.make = make
  }
}
