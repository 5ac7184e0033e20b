/// Changes within one lane: choices are put in, taken out, doubled and moved, and the other lanes stay as they are.
extension LanedInput {
  /// - Parameter favourites: lanes that are changed more often than others.
  mutating func mutate(_ mutation: inout Mutation, favourites: [Int]) {
    var times = 1 + mutation.below(3)
    while times > 0 {
      times -= 1
      step(&mutation, favourites)
    }
    // Too long: the longest lane pays.
    while count > mutation.most,
      let longest = lanes.indices.max(by: { lanes[$0].count < lanes[$1].count })
    {
      let over = count - mutation.most
      lanes[longest].removeLast(min(lanes[longest].count, over))
    }
  }

  private mutating func step(_ mutation: inout Mutation, _ favourites: [Int]) {
    let filled = lanes.indices.filter { !lanes[$0].isEmpty }
    var lane = filled.isEmpty ? 0 : filled[mutation.below(filled.count)]
    if mutation.below(2) == 0 { lane = favourites[mutation.below(favourites.count)] }
    let run = lanes[lane]
    let length = 1 + mutation.below(16)
    let start = mutation.below(run.count)
    let end = min(run.count, start + length)
    switch mutation.below(8) {
    case 0: lanes[lane].insert(contentsOf: mutation.bytes(length), at: start)
    case 1: lanes[lane].removeSubrange(start..<end)
    case 2: lanes[lane].insert(contentsOf: run[start..<end], at: mutation.below(run.count + 1))
    case 3: lanes[lane] += mutation.bytes(length)
    case 4:
      let other = filled.isEmpty ? [] : lanes[filled[mutation.below(filled.count)]]
      lanes[lane].insert(contentsOf: other.prefix(length), at: start)
    case 5:
      if start < end { lanes[lane][start] = UInt8(truncatingIfNeeded: mutation.next()) }
    default:
      let most = max(1, mutation.most - (count - run.count) - 3)
      lanes[lane] = mutation.plainly(run.isEmpty ? mutation.bytes(4) : run, min(most, 0xFFFF))
    }
  }

  /// Each lane of one or of the other, or the one behind the other.
  static func cross(_ left: LanedInput, _ right: LanedInput, _ mutation: inout Mutation)
    -> LanedInput
  {
    var mixed = LanedInput()
    for lane in mixed.lanes.indices {
      switch mutation.below(5) {
      case 0, 1: mixed.lanes[lane] = left.lanes[lane]
      case 2, 3: mixed.lanes[lane] = right.lanes[lane]
      default:
        let head = left.lanes[lane].prefix(mutation.below(left.lanes[lane].count + 1))
        mixed.lanes[lane] =
          head + right.lanes[lane].suffix(mutation.below(right.lanes[lane].count + 1))
      }
    }
    return mixed
  }
}
