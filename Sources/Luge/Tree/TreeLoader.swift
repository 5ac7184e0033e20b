internal import Platform

/// Builds a tree from the leaf images that a checkpoint left, in key order. Single-threaded; the
/// tree serves nobody yet.
struct TreeLoader: ~Copyable {
  private let id: UInt64
  private let context: TreeContext
  private var pages: [Page] = []
  private var leaves: [Pending] = []
  private var expectedLow: [UInt8]? = []
  private var count: UInt64 = 0

  /// A page whose leaf is made when its right page is known.
  private struct Pending {
    var records: [UInt64]
    var high: [UInt8]?
  }

  init(id: UInt64, context: TreeContext) {
    self.id = id
    self.context = context
  }

  /// Adds the next image, read from `diskAddress`. Throws `.corruption` when it is not this tree's
  /// next one.
  mutating func append(
    _ image: LeafImage, diskAddress: UInt64, bytes: Int
  ) throws(LugeError) {
    guard image.tree == id, let low = expectedLow, image.low == low else {
      throw LugeError(
        .corruption, "the leaf images of tree \(id) do not follow each other",
        expected: "the one that begins where the one before ends",
        found: "one of tree \(image.tree), number \(pages.count)")
    }
    let pin = try context.epochs.pin()
    defer { pin.end() }
    var records: [UInt64] = []
    records.reserveCapacity(image.count)
    // Versions on disk are older than anything that will be asked for: LSN 0 stands for all.
    image.visitEntries { key, value in
      records.append(
        Record.build(pin, version: VersionWord.committed, key: key, value: value).address)
    }
    // The page's word is set in `finish`; until then nobody but this loader has it.
    let page = unsafe image.low.withUnsafeBytes {
      unsafe Page.build(pin, low: ByteView($0), leaf: Leaf(address: 16), imageLSN: image.lsn)
    }
    page.diskAddress.store(diskAddress)
    page.imageEntries.store(UInt64(image.count))
    page.imageBytes.store(UInt64(bytes))
    pages.append(page)
    leaves.append(Pending(records: records, high: image.high))
    count += UInt64(image.count)
    expectedLow = image.high
  }

  /// The tree. Throws `.corruption` when images are missing at the end; a tree without any is
  /// empty.
  mutating func finish() throws(LugeError) -> BLinkTree {
    if pages.isEmpty { return try BLinkTree(id: id, context: context) }
    guard expectedLow == nil else {
      throw LugeError(
        .corruption, "leaf images of tree \(id) are missing",
        expected: "a last one without a high key", found: "\(pages.count) images")
    }
    let pin = try context.epochs.pin()
    defer { pin.end() }
    var index = 0
    while index < pages.count {
      let right = index + 1 < pages.count ? pages[index + 1].address : 0
      let leaf = TreeLoader.build(leaves[index], right, context.settings, pin)
      pages[index].word.store(leaf.address)
      index += 1
    }
    let tree = BLinkTree(id: id, context: context, pages: pages, count: count, pin)
    pages = []
    leaves = []
    return tree
  }

  private static func build(
    _ pending: Pending, _ right: UInt64, _ settings: TreeSettings, _ pin: Pin
  ) -> Leaf {
    // Arrays outlive the closures; the builder copies the high key. An empty array may have no
    // address, and then nothing is read from it.
    unsafe pending.records.withUnsafeBufferPointer { records in
      let base = unsafe records.baseAddress ?? UnsafePointer(bitPattern: 16).unsafelyUnwrapped
      guard let high = pending.high else {
        return unsafe LeafBuilder.build(
          pin, base, count: records.count, appendWords: settings.appendWords, high: nil,
          right: right, flags: 0)
      }
      return unsafe high.withUnsafeBytes {
        unsafe LeafBuilder.build(
          pin, base, count: records.count, appendWords: settings.appendWords,
          high: ByteView($0), right: right, flags: 0)
      }
    }
  }

  /// Frees what was loaded when the tree is not to be: after an error.
  mutating func abandon() throws(LugeError) {
    let pin = try context.epochs.pin()
    defer { pin.end() }
    for pending in leaves {
      for address in pending.records { Record(address: address).free(pin) }
    }
    for page in pages { page.free(pin) }
    pages = []
    leaves = []
  }
}
