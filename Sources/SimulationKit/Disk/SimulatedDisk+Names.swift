internal import Platform

/// Where a path leads: a name in a directory, and what is there.
struct Location {
  var directory: Inode
  var inode: Inode?
  fileprivate var path: String
  /// Where the name is in it.
  fileprivate var place: Range<Int>

  /// Made only where the name is kept: most places are looked up.
  var name: [UInt8] { [UInt8](path.utf8.dropFirst(place.lowerBound).prefix(place.count)) }
}

/// Paths, and changes of names.
extension SimulatedDisk {
  func inode(_ slot: Int) -> Inode? { inodes[slot] }

  /// What is at `path`; nil when nothing is.
  func find(_ path: String, _ operation: String) throws(PlatformError) -> Inode? {
    let text = try SimulatedDisk.normal(path, operation)
    let name = text.lastComponent
    if name.isEmpty { return inode(0) }
    guard let directory = try walk(text, to: name.lowerBound, operation) else { return nil }
    return entry(of: directory, text, name)
  }

  /// The place that `path` names, in a directory that must exist.
  func locate(_ path: String, _ operation: String) throws(PlatformError) -> Location {
    let text = try SimulatedDisk.normal(path, operation)
    let name = text.lastComponent
    if name.isEmpty { throw PlatformError(.isADirectory, operation: operation, path: path) }
    guard let directory = try walk(text, to: name.lowerBound, operation) else {
      throw PlatformError(.notFound, operation: operation, path: path)
    }
    return Location(
      directory: directory, inode: entry(of: directory, text, name), path: text, place: name)
  }

  /// Makes an empty file or directory under a free name.
  func create(_ location: Location, isDirectory: Bool) -> Inode {
    let slot = freeSlots.popLast() ?? inodes.count
    let made = Inode(id: nextID, slot: slot, isDirectory: isDirectory)
    nextID += 1
    if slot == inodes.count { inodes.append(made) } else { inodes[slot] = made }
    change([assignment(location, slot)])
    return made
  }

  func remove(_ location: Location) { change([assignment(location, nil)]) }

  func rename(_ location: Location, to other: Location) {
    change([assignment(location, nil), assignment(other, location.inode?.slot)])
  }

  /// Makes the names in a directory durable, with the earlier changes that they rest on.
  func syncNames(_ directory: Inode) {
    var isNeeded = [Bool](repeating: false, count: nameChanges.count)
    var index = nameChanges.count - 1
    while index >= 0 {
      isNeeded[index] = nameChanges[index].touches(directory.slot)
      var later = index + 1
      while !isNeeded[index], later < nameChanges.count {
        isNeeded[index] = isNeeded[later] && nameChanges[index].isNeeded(by: nameChanges[later])
        later += 1
      }
      index -= 1
    }
    var kept: [NameChange] = []
    var ready: [NameChange] = []
    index = 0
    while index < nameChanges.count {
      if isNeeded[index] {
        ready.append(nameChanges[index])
      } else {
        kept.append(nameChanges[index])
      }
      index += 1
    }
    nameChanges = kept
    for change in ready { makeDurable(change) }
  }

  /// Whether a change of names in the directory is not durable.
  func hasPendingNames(_ directory: Inode) -> Bool {
    for change in nameChanges where change.touches(directory.slot) { return true }
    return false
  }

  /// Frees what nothing mentions any more, and the space of what has neither name nor handle.
  func settle(_ inode: Inode) {
    let holdsSpace = inode.links > 0 || inode.openHandles > 0
    if holdsSpace != inode.holdsSpace {
      usedBlocks += holdsSpace ? inode.contents.allocatedBlocks : -inode.contents.allocatedBlocks
      inode.holdsSpace = holdsSpace
    }
    let slot = inode.slot
    if inode.references > 0 || inode.openHandles > 0 || inodes[slot] !== inode { return }
    inodes[slot] = nil
    freeSlots.append(slot)
    if !inode.isDirectory { return }
    // What a vanished directory still held on the disk, and what was under way in it, goes too.
    for entry in inode.durableEntries.entries { release(entry.inode) }
    var kept: [NameChange] = []
    var dropped: [NameChange.Assignment] = []
    for var change in nameChanges {
      for assignment in change.assignments where assignment.directory == slot {
        dropped.append(assignment)
      }
      change.assignments.removeAll { $0.directory == slot }
      if !change.assignments.isEmpty { kept.append(change) }
    }
    nameChanges = kept
    for assignment in dropped { if let target = assignment.target { release(target) } }
  }

  /// Counts all links and references again, from the root, and frees what cannot be reached. For
  /// the moment after a power loss: nothing is open, no change is pending.
  func recountReferences() {
    for inode in inodes {
      inode?.links = 0
      inode?.references = 0
    }
    inodes[0]?.links = 1
    inodes[0]?.references = 1
    var waiting = [0]
    while let slot = waiting.popLast() {
      guard let directory = inode(slot) else { continue }
      for entry in directory.entries.entries {
        guard let found = inode(entry.inode) else { continue }
        if found.isDirectory && found.references == 0 { waiting.append(found.slot) }
        found.links += 1
        found.references += 2
      }
    }
    var index = 0
    while index < inodes.count {
      if inodes[index]?.references == 0 {
        inodes[index] = nil
        freeSlots.append(index)
      }
      index += 1
    }
    recountSpace()
  }

  /// Whether `inode` is `directory` or lies below it.
  func isInside(_ inode: Inode, _ directory: Inode) -> Bool {
    if inode === directory { return true }
    for entry in directory.entries.entries {
      if let child = self.inode(entry.inode), child.isDirectory, isInside(inode, child) {
        return true
      }
    }
    return false
  }

  private func assignment(_ location: Location, _ target: Int?) -> NameChange.Assignment {
    NameChange.Assignment(
      directory: location.directory.slot, name: location.name, target: target)
  }

  private func change(_ assignments: [NameChange.Assignment]) {
    sequence += 1
    nameChanges.append(NameChange(sequence: sequence, assignments: assignments))
    var touched: [Inode] = []
    for assignment in assignments {
      if let slot = assignment.target, let target = inode(slot) {
        target.links += 1
        // One for the entry, one for the pending change.
        target.references += 2
        touched.append(target)
      }
      guard let directory = inode(assignment.directory) else { continue }
      let former = directory.entries.assign(assignment.name, assignment.target)
      if let former, let old = inode(former) {
        old.links -= 1
        old.references -= 1
        touched.append(old)
      }
    }
    for inode in touched { settle(inode) }
  }

  private func makeDurable(_ change: NameChange) {
    for assignment in change.assignments {
      // The reference of the pending change becomes that of the durable entry.
      guard let directory = inode(assignment.directory) else {
        if let slot = assignment.target { release(slot) }
        continue
      }
      let former = directory.durableEntries.assign(assignment.name, assignment.target)
      if let former { release(former) }
    }
  }

  private func release(_ slot: Int) {
    guard let inode = inode(slot) else { return }
    inode.references -= 1
    settle(inode)
  }

  private func entry(of directory: Inode, _ text: String, _ name: Range<Int>) -> Inode? {
    directory.entries.find(text.utf8Span.span.extracting(name)).flatMap { inode($0) }
  }

  /// The directory that the components before `end` lead to; nil when one of them does not exist.
  private func walk(
    _ text: String, to end: Int, _ operation: String
  ) throws(PlatformError) -> Inode? {
    var here = inode(0)
    var place = 0
    while let directory = here {
      let name = text.component(from: place)
      if name.lowerBound >= end { return here }
      here = entry(of: directory, text, name)
      if let here, !here.isDirectory {
        throw PlatformError(.notADirectory, operation: operation, path: text)
      }
      place = name.upperBound
    }
    return nil
  }

  /// The path without components "." and ".."; the latter leads back. A relative path begins at the root.
  private static func normal(
    _ path: String, _ operation: String
  ) throws(PlatformError) -> String {
    if path.isEmpty { throw PlatformError(.notFound, operation: operation, path: path) }
    if path.utf8.contains(0) {
      throw PlatformError(.invalidArgument, operation: operation, path: path)
    }
    var place = 0
    while true {
      let name = path.component(from: place)
      if name.isEmpty { return path }
      if path.isDots(name) { return withoutDots(path) }
      place = name.upperBound
    }
  }

  private static func withoutDots(_ path: String) -> String {
    var components: [Substring] = []
    for component in path.split(separator: "/") where component != "." {
      if component == ".." { _ = components.popLast() } else { components.append(component) }
    }
    return "/" + components.joined(separator: "/")
  }
}

/// Components of a path, as places in its UTF-8, without an allocation for any.
extension String {
  /// The first one that begins at `start` or later; empty when none does.
  fileprivate func component(from start: Int) -> Range<Int> {
    let text = utf8Span.span
    var first = start
    while first < text.count && text[first] == UInt8(ascii: "/") { first += 1 }
    var end = first
    while end < text.count && text[end] != UInt8(ascii: "/") { end += 1 }
    return first..<end
  }

  /// Empty for the root.
  fileprivate var lastComponent: Range<Int> {
    let text = utf8Span.span
    var end = text.count
    while end > 0 && text[end - 1] == UInt8(ascii: "/") { end -= 1 }
    var first = end
    while first > 0 && text[first - 1] != UInt8(ascii: "/") { first -= 1 }
    return first..<end
  }

  /// Whether this component is "." or "..".
  fileprivate func isDots(_ component: Range<Int>) -> Bool {
    if component.count > 2 { return false }
    let text = utf8Span.span
    for place in component where text[place] != UInt8(ascii: ".") { return false }
    return true
  }
}
