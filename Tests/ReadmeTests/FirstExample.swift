import Luge

/// What the first example of README.md leaves in its variables.
struct FirstExampleResult {
  var colour: [UInt8]?
  var names: [String]
  var removed: [UInt8]?
  var exchanged: Bool
}

/// The first example of README.md, word for word between the two marks.
func firstExample(in directory: String) throws -> FirstExampleResult {
  // README begins
  let database = try Database.open(at: directory)
  let fruit = try database.tree(named: "fruit")

  // Keys and values are bytes; keys are ordered as unsigned bytes.
  try fruit.updateValue(Array("red".utf8), forKey: Array("apple".utf8))
  try fruit.updateValue(Array("yellow".utf8), forKey: Array("banana".utf8))
  try fruit.updateValue(Array("black".utf8), forKey: Array("blackberry".utf8))
  let colour = try fruit.value(forKey: Array("apple".utf8))

  // A range, from either end.
  var names: [String] = []
  var cursor = fruit.cursor(in: .prefix(Array("b".utf8)))
  while let entry = try cursor.next() {
    names.append(String(decoding: entry.key, as: UTF8.self))
  }

  // The former value comes back; nil when there was none.
  let removed = try fruit.removeValue(forKey: Array("apple".utf8))

  // Set a value only if it is still what was read.
  let exchange = try fruit.compareExchange(
    key: Array("banana".utf8), expected: Array("yellow".utf8), desired: Array("brown".utf8))

  // Returns when everything above is on stable storage.
  try database.flush()
  try database.close()
  // README ends
  return FirstExampleResult(
    colour: colour, names: names, removed: removed, exchanged: exchange.exchanged)
}
