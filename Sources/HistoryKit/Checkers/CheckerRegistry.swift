/// Every checker there is. A new one gets a line here.
public enum CheckerRegistry {
  /// Those that fit any workload.
  public static let standard: [CheckerPlan] = [
    .modelDifference,
    .durability,
    .batchAtomicity,
    .prefixDurability,
    .recoveryIdempotence,
    .structuralInvariants,
    .identifiers,
    .errorContract,
  ]

  /// Those that must be told about the workload; here for their names.
  public static let special: [CheckerPlan] = [
    .conservedTotal(tree: "", prefix: [], total: 0)
  ]

  public static let all: [CheckerPlan] = standard + special

  public static func named(_ name: String) -> CheckerPlan? { all.first { $0.name == name } }
}
