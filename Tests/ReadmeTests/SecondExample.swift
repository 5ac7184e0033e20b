import Luge

/// What the second example of README.md leaves in its variables.
struct SecondExampleResult {
  var size: Int?
  var bytes: Int
  var before: [UInt8]?
  var now: [UInt8]?
}

/// The second example of README.md, word for word between the two marks.
func secondExample(in directory: String) throws -> SecondExampleResult {
  // README begins
  var configuration = Configuration()
  configuration.memoryBudget = 64 << 20
  configuration.compression = .lz4
  let database = try Database.open(at: directory, configuration: configuration)
  let stock = try database.tree(named: "stock")
  let sold = try database.tree(named: "sold")
  try stock.setValue(Array("12 crates".utf8), forKey: Array("pears".utf8))
  let earlier = try database.snapshot()

  // Both writes or neither, for every reader and after every crash.
  var batch = WriteBatch()
  batch.removeValue(forKey: Array("pears".utf8), in: stock)
  batch.updateValue(Array("12 crates".utf8), forKey: Array("pears".utf8), in: sold)
  try database.apply(batch)

  // The value is lent, not copied, and stays as it is whatever others write meanwhile.
  let size = try sold.withValue(forKey: Array("pears".utf8)) { $0.byteCount }

  // A cursor sees the tree as it was when the cursor was made; it lends keys and values, too.
  var bytes = 0
  var cursor = sold.cursor()
  while try cursor.moveNext() { bytes += cursor.key.byteCount + cursor.value.byteCount }

  // The snapshot does not know of the sale.
  let before = try earlier.value(forKey: Array("pears".utf8), in: stock)
  let now = try stock.value(forKey: Array("pears".utf8))
  // README ends
  try database.close()
  return SecondExampleResult(size: size, bytes: bytes, before: before, now: now)
}
