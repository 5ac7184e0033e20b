public import EngineKit
internal import HistoryKit
internal import Platform

/// How a database is made that is to be damaged: several lives with different settings, each killed but the last
/// one where the recipe says so.
///
/// Invariant: `model` has what was committed; `since` has one state for each commit since the group before the
/// last one was durable.
public struct DatabaseRecipe: Sendable {
  public let name: String
  public let summary: String
  /// One bit of each byte is flipped, not all eight.
  public let flipsOneBit: Bool
  /// Every kind of record and file is in it.
  public let holdsEverything: Bool
  let build: @Sendable (inout Kitchen) throws(EngineError) -> Void

  init(
    _ name: String, _ summary: String, flipsOneBit: Bool = false,
    holdsEverything: Bool = false,
    _ build: @escaping @Sendable (inout Kitchen) throws(EngineError) -> Void
  ) {
    self.name = name
    self.summary = summary
    self.flipsOneBit = flipsOneBit
    self.holdsEverything = holdsEverything
    self.build = build
  }

  /// A database, and what is in it.
  public struct Dish: Sendable {
    public var image: DatabaseImage
    public var expected: ExpectedContents
    /// As it is opened.
    public var settings: EngineSettings
  }

  /// Makes it anew: the same each time, on any machine.
  public func make(with factory: any EngineFactory) throws(EngineError) -> Dish {
    var kitchen = Kitchen(factory)
    try build(&kitchen)
    return kitchen.dish
  }
}

/// What a recipe works with: an engine over files in memory, and the model of what it should hold.
public struct Kitchen {
  private let factory: any EngineFactory
  private let files: ImageFileSystem
  private(set) var engine: (any KeyValueEngine)?
  private(set) var settings = EngineSettings()
  private var model = OrderedModel()
  private var states: [OrderedModel] = []
  private var largestIdentifier: UInt64 = 0
  private var image = DatabaseImage()

  init(_ factory: any EngineFactory) {
    self.factory = factory
    files = ImageFileSystem()
  }

  var dish: DatabaseRecipe.Dish {
    DatabaseRecipe.Dish(
      image: image,
      expected: ExpectedContents(
        states: states, largestIdentifier: largestIdentifier,
        absent: [
          (.default, []), (.default, Array("k0001x".utf8)), (.default, Array("zzz".utf8)),
        ]),
      settings: settings)
  }

  /// Opens the database, for the first time or again. The files of a life that was killed are as they were then.
  mutating func open(_ settings: EngineSettings) throws(EngineError) {
    self.settings = settings
    engine = try factory.open(
      ImageFileSystem.directory, on: SoleWorld().platform(files), settings: settings)
    states = [model]
  }

  /// Ends the process: files stay as they are at this moment.
  mutating func kill() throws(EngineError) {
    image = DatabaseImage(files: files.snapshot.files.filter { !$0.bytes.isEmpty })
    // The engine gives its memory back, and what it writes on its way is nobody's business.
    try? engine?.close()
    engine = nil
    files.restore(image)
  }

  mutating func close() throws(EngineError) {
    try engine?.close()
    engine = nil
    states = [model]
    image = DatabaseImage(files: files.snapshot.files.filter { !$0.bytes.isEmpty })
  }

  mutating func set(
    _ value: Bytes?, for key: Bytes, in tree: TreeName = .default
  ) throws(EngineError) {
    if let value {
      _ = try engine?.insert(value, for: key, in: tree)
    } else {
      _ = try engine?.remove(key, in: tree)
    }
    _ = model.set(value, for: key, in: tree)
    states.append(model)
  }

  mutating func apply(_ writes: [BatchWrite]) throws(EngineError) {
    try engine?.apply(writes)
    for write in writes { _ = model.set(write.value, for: write.key, in: write.tree) }
    states.append(model)
  }

  mutating func drop(_ tree: TreeName) throws(EngineError) {
    _ = try engine?.dropTree(tree)
    _ = model.drop(tree)
    states.append(model)
  }

  mutating func takeIdentifiers(_ count: Int) throws(EngineError) {
    var left = count
    while left > 0 {
      if let id = try engine?.nextID() { largestIdentifier = max(largestIdentifier, id) }
      left -= 1
    }
  }

  /// All that was committed is durable, and the last group has what comes now.
  mutating func beginLastGroup() throws(EngineError) {
    try engine?.flush()
    states = [model]
  }

  mutating func flush() throws(EngineError) { try engine?.flush() }

  mutating func checkpoint() throws(EngineError) { try engine?.checkpoint() }

  mutating func performBackgroundWork() throws(EngineError) {
    try engine?.performBackgroundWork()
  }
}
