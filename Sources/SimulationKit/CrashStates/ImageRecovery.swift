internal import CPlatform
internal import EngineKit
internal import HistoryKit
internal import Platform

/// What the engine made of one image.
struct RecoveredImage {
  /// The contents; nil where it did not come to them.
  var state: RecoveredState?
  /// Equal for equal contents.
  var fingerprint = ContentSum()
  /// An id asked for afterwards, where the run asks for ids.
  var identifier: UInt64?
  /// Bytes that its files occupy in the end.
  var allocatedBytes = 0
  /// What does not hold whatever was written before.
  var problems: [Violation] = []
}

/// Opens the engine on an image, looks at everything, and lets the power go and opens it once more.
///
/// 1. Open. All trees, scanned both ways, and counted. The engine's own look at its structure.
/// 2. The power goes, and takes all that is not synced: what was shown must be durable.
/// 3. Open. The same contents. An id, where the run uses them.
/// 4. Of some images: a write, flushed. The power goes again. Open: the same contents, and that
///   write. What was there behind the log's torn end must not come back, nor hide what was written
///   after it.
///
/// The process has one thread and does background work when it is asked to, which nobody does. All
/// that it does is a function of the image, so each image need be recovered only once.
struct ImageRecovery {
  let factory: any EngineFactory
  let directory: String
  let settings: EngineSettings
  let usesIdentifiers: Bool

  init(
    _ factory: any EngineFactory, directory: String, settings: EngineSettings,
    usesIdentifiers: Bool
  ) {
    self.factory = factory
    self.directory = directory
    var alone = settings
    alone.automaticBackgroundWork = false
    self.settings = alone
    self.usesIdentifiers = usesIdentifiers
  }

  /// Recovers from a disk that nobody else uses, and leaves it as the second opening left it. The
  /// calls of the first opening go to `log`, where there is one.
  func recover(
    _ disk: SimulatedDisk, goesOn: Bool = false, log: CallLogMemory? = nil
  ) -> RecoveredImage {
    var image = RecoveredImage()
    first(disk, log, &image)
    disk.powerLoss(choosing: LosingGate())
    if image.problems.isEmpty { second(disk, goesOn, &image) }
    disk.processKill()
    if goesOn, image.problems.isEmpty {
      disk.powerLoss(choosing: LosingGate())
      third(disk, &image)
      disk.processKill()
    }
    image.allocatedBytes = disk.allocatedBytes
    return image
  }

  private func first(_ disk: SimulatedDisk, _ log: CallLogMemory?, _ image: inout RecoveredImage) {
    let world = SoleWorld()
    var files: any FileSystem = disk.mount(SilentGate.shared)
    if let log { files = RecordingFileSystem(files, to: log) }
    do throws(EngineError) {
      let engine = try factory.open(directory, on: world.platform(files), settings: settings)
      let state = try RecoveredState(of: engine)
      image.fingerprint = ImageRecovery.fingerprint(state)
      image.state = state
      compareDirections(state, &image)
      for finding in try engine.checkInvariants() {
        image.fail("structural-invariants", finding)
      }
      try compareCounts(engine, state, &image)
    } catch {
      image.fail(
        world.isStuck ? "progress" : "error-contract", "recovery failed without a cause: \(error)")
    }
    // The engine goes without a goodbye.
    disk.processKill()
  }

  private func second(_ disk: SimulatedDisk, _ goesOn: Bool, _ image: inout RecoveredImage) {
    let world = SoleWorld()
    let files = disk.mount(SilentGate.shared)
    do throws(EngineError) {
      let engine = try factory.open(directory, on: world.platform(files), settings: settings)
      let state = try ImageRecovery.forward(engine)
      if ImageRecovery.fingerprint(state) != image.fingerprint {
        image.fail(
          "recovery-idempotence",
          "a second recovery shows \(state.count) entries, the first one showed "
            + "\(image.state?.count ?? 0), or others")
      }
      if usesIdentifiers { image.identifier = try engine.nextID() }
      if goesOn {
        _ = try engine.insert(ImageRecovery.mark, for: ImageRecovery.mark, in: .default)
        try engine.flush()
      }
    } catch {
      image.fail(
        world.isStuck ? "progress" : "recovery-idempotence",
        "a second recovery failed without a cause: \(error)")
    }
  }

  /// A key, and its value, that no run writes.
  private static let mark: Bytes = [0x7E, 0x61, 0x66, 0x74, 0x65, 0x72]

  private func third(_ disk: SimulatedDisk, _ image: inout RecoveredImage) {
    let world = SoleWorld()
    let files = disk.mount(SilentGate.shared)
    do throws(EngineError) {
      let engine = try factory.open(directory, on: world.platform(files), settings: settings)
      if try engine.get(ImageRecovery.mark, in: .default) != ImageRecovery.mark {
        image.fail("durability", "what was written and flushed after a recovery is lost")
      }
      _ = try engine.remove(ImageRecovery.mark, in: .default)
      let state = try ImageRecovery.forward(engine)
      if ImageRecovery.fingerprint(state) != image.fingerprint {
        image.fail(
          "recovery-idempotence",
          "what was recovered twice has changed after a write, a flush and another crash")
      }
    } catch {
      image.fail(
        world.isStuck ? "progress" : "recovery-idempotence",
        "the opening after a write, a flush and another crash failed without a cause: \(error)")
    }
  }

  private static func forward(
    _ engine: any KeyValueEngine
  ) throws(EngineError) -> RecoveredState {
    var trees: [RecoveredState.Tree] = []
    for name in try engine.treeNames() {
      let entries = try engine.scan(.all, .forward, limit: .max, in: name)
      trees.append(.init(name, forward: entries, backward: []))
    }
    return RecoveredState(trees: trees)
  }

  private func compareDirections(_ state: RecoveredState, _ image: inout RecoveredImage) {
    for tree in state.trees {
      var place = 0
      let count = tree.forward.count
      var isSame = tree.backward.count == count
      while isSame, place < count {
        let other = tree.backward[count - 1 - place]
        isSame =
          tree.forward[place].key.isSame(as: other.key)
          && tree.forward[place].value.isSame(as: other.value)
        place += 1
      }
      if !isSame {
        image.fail(
          "model-difference", "tree \"\(tree.name)\" shows other entries backwards than forwards")
      }
    }
  }

  private func compareCounts(
    _ engine: any KeyValueEngine, _ state: RecoveredState, _ image: inout RecoveredImage
  ) throws(EngineError) {
    for tree in state.trees {
      let count = try engine.count(in: tree.name)
      if count != tree.forward.count {
        image.fail(
          "count", "tree \"\(tree.name)\" counts \(count) entries, shows \(tree.forward.count)")
      }
    }
  }

  /// Empty trees count as none: whether the name of a tree that was never written to survives is
  /// nobody's promise.
  static func fingerprint(_ state: RecoveredState) -> ContentSum {
    var hash = Fingerprint()
    var entries: UInt64 = 0
    for tree in state.trees where !tree.forward.isEmpty {
      hash.add(tree.name)
      hash.add(tree.forward)
      entries += UInt64(tree.forward.count)
    }
    return ContentSum(low: hash.value, high: entries)
  }
}

extension RecoveredImage {
  mutating func fail(_ property: String, _ detail: String) {
    problems.append(Violation(property: property, detail: detail, step: 0))
  }
}
