/// Every fuzz target there is. To add one: a line here.
enum Targets {
  static let all: [any FuzzTarget.Type] = [
    CompressionTarget.self,
    HistoryTarget.self,
    LeafCodecTarget.self,
    LogRecordTarget.self,
    OperationsTarget.self,
    RecoveryTarget.self,
    SchedulesTarget.self,
    SuperblockTarget.self,
    TapeFileTarget.self,
  ]

  static func named(_ name: String) -> (any FuzzTarget.Type)? {
    for type in all where type.name == name { return type }
    return nil
  }
}
