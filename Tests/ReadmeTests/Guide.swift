import Luge

/// What the guide's examples leave in their variables.
struct GuideResult {
  var former: [UInt8]?
  var name: [UInt8]?
  var length: Int?
  var total: Int
  var last: Entry?
  var after: Entry?
  var counted: [UInt8]?
  var exchanged: Bool
  var before: [UInt8]?
}

/// The examples of Luge.docc/Luge.md, word for word and in their order between the two marks.
func guide(in directory: String) throws -> GuideResult {
  var total = 0
  // Guide begins
  let database = try Database.open(at: directory)
  let users = try database.tree(named: "users")

  try users.setValue(Array("Ada".utf8), forKey: Array("user/1".utf8))
  let former = try users.updateValue(Array("Grace".utf8), forKey: Array("user/1".utf8))
  let name = try users.value(forKey: Array("user/1".utf8))

  let length = try users.withValue(forKey: Array("user/1".utf8)) { value in value.byteCount }

  var cursor = users.cursor(in: .prefix(Array("user/".utf8)))
  while try cursor.moveNext() {
    total += cursor.key.byteCount + cursor.value.byteCount
  }
  let last = try users.last()
  let after = try users.entry(after: Array("user/1".utf8))

  var batch = WriteBatch()
  batch.updateValue(Array("1".utf8), forKey: Array("from".utf8), in: database.defaultTree)
  batch.updateValue(Array("user/1".utf8), forKey: Array("to".utf8), in: users)
  try database.apply(batch)

  let counted = try users.update(forKey: Array("visits".utf8)) { old in
    guard let old else { return [1] }
    return [UInt8(old.byteCount) + 1]
  }
  let exchange = try users.compareExchange(
    key: Array("user/1".utf8), expected: name, desired: Array("Ada".utf8))

  let snapshot = try database.snapshot()
  try users.removeAll()
  let before = try snapshot.value(forKey: Array("user/1".utf8), in: users)

  try database.flush()
  try database.close()
  // Guide ends
  return GuideResult(
    former: former, name: name, length: length, total: total, last: last, after: after,
    counted: counted.new, exchanged: exchange.exchanged, before: before)
}
