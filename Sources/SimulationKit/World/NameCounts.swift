/// Counts by literal names, cheaply.
struct NameCounts {
  private let table = NameTable()
  private var counts: [Int] = []

  init() { counts.reserveCapacity(NameTable.usual) }

  /// Adds one; answers the name's number.
  mutating func add(_ name: StaticString) -> Int {
    let number = table.number(of: name)
    if number >= counts.count {
      while counts.count <= number { counts.append(0) }
    }
    counts[number] &+= 1
    return number
  }

  /// In ascending order of names.
  var sorted: [(name: String, count: Int)] {
    var list: [(name: String, count: Int)] = []
    var number = 0
    while number < counts.count {
      list.append((table.names[number].description, counts[number]))
      number += 1
    }
    return list.sorted { $0.name < $1.name }
  }
}
