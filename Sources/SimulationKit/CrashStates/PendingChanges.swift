internal import CPlatform

/// Everything on a disk that a power loss would decide on at one moment, as a list of *items*, each
/// with its *options*: option 0 is the durable one, the last one what the page cache has.
///
/// - A change of names: lost or kept. It is lost with an earlier one of the same name.
/// - The length of a file: so many of its unsynced changes are kept.
/// - A sector: so many of its unsynced writes are. A negative choice is a torn sector
///   (`tornChoice`). Only sectors of which two versions differ are items.
///
/// *Choices*, one an item, name one state that the power loss may leave; `hash` is that of what can
/// be seen in it, without building it. What a length rules out of a sector's versions is as
/// `SectorChains.window` says.
///
/// Safe: `scratch` holds two sectors; every place in it is below that.
struct PendingChanges {
  enum Item {
    /// Index in `names`.
    case name(Int)
    /// Index in `files`.
    case length(Int)
    /// Index in `files`, and the sector's place in its chains.
    case sector(Int, Int)
  }

  /// A file with unsynced contents or length.
  struct File {
    let slot: Int
    let id: UInt64
    let chains: SectorChains
    /// With so many length changes kept.
    let lengths: [Int]
    /// Length changes from this number on are then lost.
    let lostFrom: [UInt64]
    var lengthItem = -1
    /// The item of the n-th sector, or -1.
    var sectorItems: [Int] = []
    /// The file's sum without its pending sectors.
    var clean = ContentSum()
    /// By number of length changes kept; made when first asked for.
    var tables: [VersionTable?]
  }

  /// The hashes of all versions of a file's pending sectors, as one length shows them.
  struct VersionTable {
    var low: [Int32] = []
    var high: [Int32] = []
    /// Where the n-th sector's versions begin in `hashes`.
    var starts: [Int] = []
    var hashes: [ContentSum] = []
  }

  let names: [NameChange]
  private(set) var files: [File] = []
  private(set) var items: [Item] = []
  /// How many options each item has, torn sectors apart.
  private(set) var options: [Int32] = []

  private let disk: SimulatedDisk
  private let hashes: DiskHash
  private var view = NameView()
  /// Index in `files` by slot, or -1.
  private var fileOfSlot: [Int]
  private let scratch = ChunkMemory(byteCount: 2 * DiskGeometry.sectorSize)

  init(_ disk: SimulatedDisk, _ hashes: DiskHash) {
    self.disk = disk
    self.hashes = hashes
    names = disk.nameChanges
    fileOfSlot = [Int](repeating: -1, count: disk.inodes.count)
    for place in names.indices {
      items.append(.name(place))
      options.append(2)
    }
    for inode in disk.inodes {
      guard let inode, !inode.isClean, !inode.isDirectory, inode.references > 0 else { continue }
      add(inode)
    }
    view = NameView(disk, names, kept: [Bool](repeating: true, count: names.count), fileOfSlot)
  }

  private mutating func add(_ inode: Inode) {
    let changes = inode.lengthChanges
    var file = File(
      slot: inode.slot, id: inode.id, chains: SectorChains(inode),
      lengths: changes.map(\.formerLength) + [inode.length],
      lostFrom: changes.map(\.sequence) + [.max],
      tables: [VersionTable?](repeating: nil, count: changes.count + 1))
    let place = files.count
    if !changes.isEmpty {
      file.lengthItem = items.count
      items.append(.length(place))
      options.append(Int32(changes.count + 1))
    }
    file.clean = hashes.sum(inode.slot)
    var n = 0
    while n < file.chains.sectorCount {
      let length = file.chains.length(n)
      let newest = version(length, n, file, inode, visible: .max)
      file.clean -= newest
      var differs = false
      var older = 0
      while older < length, !differs {
        differs = version(older, n, file, inode, visible: .max) != newest
        older += 1
      }
      file.sectorItems.append(differs ? items.count : -1)
      if differs {
        items.append(.sector(place, n))
        options.append(Int32(length + 1))
      }
      n += 1
    }
    fileOfSlot[inode.slot] = place
    files.append(file)
  }

  /// All as the page cache has it.
  var newest: [Int32] { options.map { $0 - 1 } }
  /// All as it was synced last.
  var oldest: [Int32] { [Int32](repeating: 0, count: options.count) }

  // MARK: Torn sectors

  /// The choice of a sector whose first bytes are of version `new`, the rest of version `old`.
  static func tornChoice(old: Int, new: Int) -> Int32 { -1 - Int32(old * 4096 + new) }

  static func torn(_ choice: Int32) -> (old: Int, new: Int) {
    let code = Int(-1 - choice)
    return (code / 4096, code % 4096)
  }

  // MARK: What choices mean

  /// The numbers of the changes of names that are kept.
  func keptNames(_ choices: [Int32]) -> [UInt64] {
    let kept = keptFlags(choices)
    var numbers: [UInt64] = []
    for (place, change) in names.enumerated() where kept[place] { numbers.append(change.sequence) }
    return numbers
  }

  /// A change is lost with an earlier one of the same name.
  private func keptFlags(_ choices: [Int32]) -> [Bool] {
    var kept: [Bool] = []
    var place = 0
    while place < names.count {
      var isKept = choices[place] != 0
      var earlier = 0
      while isKept, earlier < place {
        if !kept[earlier], names[earlier].isNeeded(by: names[place]) { isKept = false }
        earlier += 1
      }
      kept.append(isKept)
      place += 1
    }
    return kept
  }

  func keptLengths(of file: File, _ choices: [Int32]) -> Int {
    file.lengthItem < 0 ? file.lengths.count - 1 : Int(choices[file.lengthItem])
  }

  func fate(of file: File, _ n: Int, _ choices: [Int32]) -> ChosenFate {
    let item = file.sectorItems[n]
    if item < 0 { return .version(file.chains.length(n)) }
    if choices[item] >= 0 { return .version(Int(choices[item])) }
    let (old, new) = PendingChanges.torn(choices[item])
    return .torn(old: old, new: new)
  }

  /// A path that leads to a file now; for people.
  func path(of slot: Int) -> String? {
    func walk(_ directory: Int, _ path: String) -> String? {
      guard let inode = disk.inode(directory) else { return nil }
      for entry in inode.entries.entries {
        let here = path + "/" + String(decoding: entry.name, as: UTF8.self)
        if entry.inode == slot { return here }
        if disk.inode(entry.inode)?.isDirectory == true, let found = walk(entry.inode, here) {
          return found
        }
      }
      return nil
    }
    return walk(0, "")
  }

  // MARK: Hashes

  /// The hash of all that a process would see: names, lengths and contents.
  mutating func hash(_ choices: [Int32]) -> ContentSum {
    if !names.isEmpty {
      let kept = keptFlags(choices)
      if kept != view.kept { view = NameView(disk, names, kept: kept, fileOfSlot) }
    }
    var sum = view.directories
    for entry in view.clean {
      sum += hashes.sum(entry.slot).under(entry.name, UInt64(entry.length))
    }
    var place = 0
    while place < view.pending.count {
      let entry = view.pending[place]
      let file = entry.file
      let kept = keptLengths(of: files[file], choices)
      sum += contents(file, kept, choices).under(entry.name, UInt64(files[file].lengths[kept]))
      place += 1
    }
    return sum
  }

  private mutating func contents(_ place: Int, _ kept: Int, _ choices: [Int32]) -> ContentSum {
    if files[place].tables[kept] == nil { files[place].tables[kept] = table(files[place], kept) }
    guard let table = files[place].tables[kept] else { return ContentSum() }
    var sum = files[place].clean
    var n = 0
    while n < table.low.count {
      let item = files[place].sectorItems[n]
      var choice = item < 0 ? Int32.max : choices[item]
      if choice < 0 {
        sum += tornHash(files[place], n, table, choice, visible: files[place].lengths[kept])
      } else {
        choice = min(max(choice, table.low[n]), table.high[n])
        sum += table.hashes[table.starts[n] + Int(choice)]
      }
      n += 1
    }
    return sum
  }

  private func table(_ file: File, _ kept: Int) -> VersionTable {
    var table = VersionTable()
    guard let inode = disk.inode(file.slot) else { return table }
    var n = 0
    while n < file.chains.sectorCount {
      let (low, high) = file.chains.window(n, lostFrom: file.lostFrom[kept])
      table.low.append(Int32(low))
      table.high.append(Int32(high))
      table.starts.append(table.hashes.count)
      var one = 0
      while one <= file.chains.length(n) {
        let isPossible = one >= low && one <= high
        table.hashes.append(
          isPossible
            ? version(one, n, file, inode, visible: file.lengths[kept]) : ContentSum())
        one += 1
      }
      n += 1
    }
    return table
  }

  /// The hash of one version of a sector, as far as a length shows it.
  private func version(
    _ version: Int, _ n: Int, _ file: File, _ inode: Inode, visible: Int
  ) -> ContentSum {
    unsafe file.chains.load(version, of: n, from: inode.contents, to: scratch.bytes)
    return hashScratch(file.chains.sector(n), visible)
  }

  private func hashScratch(_ sector: Int, _ visible: Int) -> ContentSum {
    let size = DiskGeometry.sectorSize
    let shown = max(0, min(size, visible - sector * size))
    if shown < size { unsafe ChunkMemory.clear(scratch.bytes + shown, size - shown) }
    return unsafe DiskHash.sector(sector, scratch.bytes)
  }

  /// As `FileLoss` tears it, where `SilentGate` says.
  private func tornHash(
    _ file: File, _ n: Int, _ table: VersionTable, _ choice: Int32, visible: Int
  ) -> ContentSum {
    guard let inode = disk.inode(file.slot) else { return ContentSum() }
    let size = DiskGeometry.sectorSize
    let torn = PendingChanges.torn(choice)
    let old = min(max(torn.old, Int(table.low[n])), Int(table.high[n]))
    let new = min(max(torn.new, old), Int(table.high[n]))
    let shown = max(0, min(size, visible - file.chains.sector(n) * size))
    unsafe file.chains.load(new, of: n, from: inode.contents, to: scratch.bytes)
    unsafe file.chains.load(old, of: n, from: inode.contents, to: scratch.bytes + size)
    if shown > 0,
      let (first, last) = unsafe ChunkMemory.difference(
        scratch.bytes, scratch.bytes + size, shown), first < last
    {
      let cut = first + 1 + (last - first) / 2
      unsafe (scratch.bytes + cut).copyMemory(
        from: scratch.bytes + size + cut, byteCount: size - cut)
    }
    return hashScratch(file.chains.sector(n), visible)
  }
}
