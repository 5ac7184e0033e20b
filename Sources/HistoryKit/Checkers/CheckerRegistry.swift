/// Every checker there is. A new one gets a line here.
public enum CheckerRegistry {
  /// Those that fit any workload.
  public static let standard: [CheckerPlan] = [
    .structuralInvariants
  ]

  /// Those that need to know the workload; made with a total of zero here, for their names.
  public static let special: [CheckerPlan] = []

  public static let all: [CheckerPlan] = standard + special

  public static func named(_ name: String) -> CheckerPlan? { all.first { $0.name == name } }
}
