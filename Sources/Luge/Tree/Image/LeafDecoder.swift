internal import Platform

/// One part of a page, as it was read, for `LeafDecoder`.
struct LeafPart {
  /// Where it was read from.
  var address: UInt64
  /// The payload of its record.
  var bytes: ByteView
}

/// Reads the entries of a page out of its base and its fragments: one ascending sequence in which the newest part that has
/// a key wins, and keys whose newest entry is a tombstone are left out.
///
///     var decoder = unsafe try LeafDecoder(
///       parts: parts, count: n, tree: id, low: page.low, contexts: contexts)
///     while try decoder.next() { use(decoder.key, decoder.value, decoder.kind) }
///
/// Throws `.corruption` for whatever is wrong, and never traps, whatever the bytes. What was read before an error
/// must be thrown away. Memory: one block, the sum of `longestKey` of the parts and of the plain
/// bodies of compressed ones.
///
/// Invariant: `order[0..<active]` are the parts that have a row left, by key, the newer first among
/// equal ones; the row at `order[0]` is the present entry once `next` has answered true.
///
/// Safe: the parts' bytes must outlive it, as the unsafe initialisers say; the rest it owns. Views
/// that it gives are good until the next call of `next`.
@safe struct LeafDecoder: ~Copyable {
  /// The most parts that a page has.
  static let mostParts = 64
  /// The most bytes that are allocated for one page.
  static let mostBytes = 2 * LeafImage.largestBody

  let tree: UInt64
  /// W of the newest part.
  let lsn: UInt64
  let hasHigh: Bool
  /// Entries of all parts together: no fewer than `next` will find.
  let mostEntries: Int
  /// `previous` of the first part: 0 unless a fragment is read by itself.
  let previous: UInt64
  /// The low key, the high key, then for each part its key memory and plain body.
  private let memory: UnsafeMutableRawPointer
  private let lowCount: Int
  private let highCount: Int
  private let rows: UnsafeMutablePointer<LeafRows>
  private let order: UnsafeMutablePointer<Int>
  private let count: Int
  /// Negative before the first call of `next`.
  private var active: Int
  /// Tombstones are left out; not where a part is read by itself.
  private let merges: Bool
  /// `order[0]` has a row that `next` has already answered.
  private var isAnswered = false
  /// No other part has the key at `order[0]`.
  private var isAlone = false

  /// Good as long as this decoder.
  var low: ByteView { unsafe ByteView(memory, count: lowCount) }

  /// Only where `hasHigh`; good as long as this decoder.
  var high: ByteView { unsafe ByteView(memory + lowCount, count: highCount) }

  /// The present entry's; good until `next` is called.
  var key: ByteView { @inline(__always) get { unsafe rows[order[0]].key } }
  var value: ByteView { @inline(__always) get { unsafe rows[order[0]].value } }
  var kind: EntryKind { @inline(__always) get { unsafe rows[order[0]].kind } }
  /// Nil unless the value lies apart.
  var reference: ValueReference? {
    @inline(__always) get {
      kind == .reference ? unsafe ValueReference(rows[order[0]].value.buffer) : nil
    }
  }

  /// One part by itself, tombstones included.
  @unsafe
  init(part: UnsafeRawBufferPointer, contexts: CodecContexts) throws(LugeError) {
    let head = unsafe try LeafHead(part)
    self.init(first: head, [head], contexts, merges: false)
  }

  /// A base and the fragments after it, oldest first, of the page that begins at `low`. Each must
  /// name the part before it.
  @unsafe
  init(
    parts: UnsafePointer<LeafPart>, count: Int, tree: UInt64, low: ByteView,
    contexts: CodecContexts
  ) throws(LugeError) {
    guard count > 0, count <= LeafDecoder.mostParts else {
      throw LeafImage.damage("its page has \(count) parts")
    }
    var heads: [LeafHead] = []
    heads.reserveCapacity(count)
    var bytes = 0
    var index = 0
    while index < count {
      let head = unsafe try LeafHead(parts[index].bytes.buffer)
      bytes += LeafDecoder.bytes(head)
      guard head.tree == tree, head.low == low else {
        throw LeafImage.damage("it is of another page")
      }
      guard head.isFragment == (index > 0),
        unsafe index == 0
          || (head.previous == parts[index - 1].address && head.lsn >= heads[index - 1].lsn)
      else { throw LeafImage.damage("it does not follow the part before it") }
      guard bytes <= LeafDecoder.mostBytes else {
        throw LeafImage.damage("its page has \(bytes) bytes")
      }
      heads.append(head)
      index += 1
    }
    self.init(first: heads[0], heads, contexts, merges: true)
  }

  private init(
    first: LeafHead, _ heads: [LeafHead], _ contexts: CodecContexts, merges: Bool
  ) {
    tree = first.tree
    lsn = heads[heads.count - 1].lsn
    hasHigh = first.hasHigh
    previous = first.previous
    lowCount = first.low.count
    highCount = first.hasHigh ? first.highCount : 0
    count = heads.count
    active = -1
    self.merges = merges
    var entries = 0
    var bytes = lowCount + highCount + 1
    for head in heads {
      entries += head.count
      bytes += LeafDecoder.bytes(head)
    }
    mostEntries = entries
    unsafe memory = .allocate(byteCount: bytes, alignment: 8)
    unsafe rows = .allocate(capacity: count)
    unsafe order = .allocate(capacity: count)
    unsafe memory.copyMemory(from: first.low.base, byteCount: lowCount)
    if first.hasHigh {
      let shared = first.highShared
      unsafe (memory + lowCount).copyMemory(from: first.low.base, byteCount: shared)
      unsafe (memory + lowCount + shared).copyMemory(
        from: first.highRest.base, byteCount: first.highRest.count)
    }
    var place = unsafe memory + lowCount + highCount
    var index = 0
    while index < count {
      let head = heads[index]
      let keyMemory = unsafe place
      unsafe place += head.longestKey
      var body: ByteView? = head.stored
      if head.codec != .plain {
        let plain = unsafe UnsafeMutableRawBufferPointer(start: place, count: head.bodyBytes)
        let isGood = unsafe contexts.decompress(head.stored.buffer, into: plain, head.codec)
        body = isGood ? unsafe ByteView(UnsafeRawBufferPointer(plain)) : nil
        unsafe place += head.bodyBytes
      }
      unsafe (rows + index).initialize(to: LeafRows(head, body: body, keyMemory: keyMemory))
      index += 1
    }
  }

  /// What a part needs in `memory`.
  private static func bytes(_ head: LeafHead) -> Int {
    head.longestKey + (head.codec == .plain ? 0 : head.bodyBytes)
  }

  deinit {
    unsafe memory.deallocate()
    unsafe rows.deallocate()
    unsafe order.deallocate()
  }

  /// Before the first `next`: leaves out entries below `key` where their number can be told without a look
  /// at them.
  mutating func leap(to key: ByteView) {
    var part = 0
    while active < 0 && part < count {
      // By a constant of its own: the compiler makes broken code of the other under the thread sanitizer.
      let place = unsafe rows + part
      unsafe place.pointee.leap(to: key)
      part += 1
    }
  }

  /// Goes to the next entry; false when there is none.
  mutating func next() throws(LugeError) -> Bool {
    while true {
      if isAnswered {
        try leaveFirst()
      } else if active < 0 {
        try start()
      }
      if active == 0 { return false }
      isAnswered = true
      if !isAlone { try skipOlder() }
      if !merges || kind != .tombstone { return true }
    }
  }

  /// Puts the first row of each part into order.
  private mutating func start() throws(LugeError) {
    active = 0
    var part = 0
    while part < count {
      if try step(part) {
        // Oldest first, so that among equal keys each goes before those that are there.
        var place = active
        while place > 0, unsafe ByteView.compare(rows[part].key, rows[order[place - 1]].key) <= 0 {
          unsafe order[place] = order[place - 1]
          place -= 1
        }
        unsafe order[place] = part
        active += 1
      }
      part += 1
    }
  }

  /// Goes to a part's next row; false at its end.
  @inline(__always)
  private func step(_ part: Int) throws(LugeError) -> Bool {
    switch unsafe rows[part].advance() {
    case .row: return true
    case .end:
      // All its keys were below this one.
      if !hasHigh || ByteView.compare(unsafe rows[part].key, high) < 0 { return false }
    case .damaged: break
    }
    throw LeafImage.damage("its rows are unreadable, out of order or out of range")
  }

  /// Steps the part whose entry was answered, and puts it where it then belongs.
  @inline(__always)
  private mutating func leaveFirst() throws(LugeError) {
    isAnswered = false
    if unsafe try !step(order[0]) {
      isAlone = false
      remove(0)
    } else if active > 1 {
      isAlone = unsafe ByteView.compare(rows[order[0]].key, rows[order[1]].key) < 0
      if !isAlone { sink(0) }
    }
  }

  /// Steps over what other parts say of the first one's key.
  private mutating func skipOlder() throws(LugeError) {
    while active > 1, unsafe rows[order[1]].key == rows[order[0]].key {
      if unsafe try step(order[1]) { sink(1) } else { remove(1) }
    }
  }

  private mutating func remove(_ place: Int) {
    active -= 1
    var index = place
    while index < active {
      unsafe order[index] = order[index + 1]
      index += 1
    }
  }

  /// Moves the part at `place` behind those that come before it now.
  private mutating func sink(_ place: Int) {
    let part = unsafe order[place]
    var index = place
    while index + 1 < active {
      let other = unsafe order[index + 1]
      let difference = unsafe ByteView.compare(rows[part].key, rows[other].key)
      if difference < 0 || (difference == 0 && part > other) { break }
      unsafe order[index] = other
      index += 1
    }
    unsafe order[index] = part
  }
}
