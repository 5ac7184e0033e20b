import Testing

@testable import Luge

/// A search in a leaf finds what a plain search finds, whatever it was told about where to look.
@Suite struct LeafSearchTests {
  private enum Shape: CaseIterable {
    /// Bytes at random: heads are nearly regular.
    case random
    /// Long runs of equal first bytes: many keys share a head.
    case shared
    /// Few, short ones, of all lengths.
    case short
  }

  private static func key(_ shape: Shape, _ random: inout TestRandom) -> [UInt8] {
    switch shape {
    case .random: return (0..<16).map { _ in UInt8(random.below(256)) }
    case .shared:
      return [UInt8](repeating: 7, count: 6 + random.below(6)) + [UInt8(random.below(256))]
    case .short: return (0..<random.below(4)).map { _ in UInt8(random.below(6)) }
    }
  }

  @Test(arguments: [1, 2, 3])
  func findsWhatAPlainSearchFinds(seed: UInt64) throws {
    let world = try TreeWorld()
    let pin = try world.context.epochs.pin()
    defer { pin.end() }
    var random = TestRandom(seed)
    for shape in Shape.allCases {
      for _ in 0..<40 {
        var keys: [[UInt8]] = []
        for _ in 0..<random.below(140) { keys.append(Self.key(shape, &random)) }
        keys = Set(keys).sorted { compareKeys($0, $1) < 0 }
        Self.check(keys, shape, &random, pin)
      }
    }
  }

  private static func check(
    _ keys: [[UInt8]], _ shape: Shape, _ random: inout TestRandom, _ pin: Pin
  ) {
    let records = keys.map { key in
      unsafe key.withUnsafeBytes {
        unsafe Record.build(pin, version: VersionWord.committed, key: ByteView($0), value: .empty)
          .address
      }
    }
    let leaf = unsafe records.withUnsafeBufferPointer {
      let some = unsafe UnsafePointer<UInt64>(bitPattern: 16).unsafelyUnwrapped
      return unsafe LeafBuilder.build(
        pin, $0.baseAddress ?? some, count: records.count, appendWords: 2, high: nil, right: 0,
        flags: 0)
    }
    for sought in keys + (0..<40).map({ _ in key(shape, &random) }) {
      let below = keys.count { compareKeys($0, sought) < 0 }
      let expected = keys.contains(sought) ? below : -1 - below
      for near in [-1, 0, 5, below, below + 9, 60, 200] {
        let found = unsafe sought.withUnsafeBytes {
          leaf.sortedIndex(unsafe ByteView($0), near: near)
        }
        #expect(found == expected, "\(sought) near \(near) among \(keys)")
      }
    }
    leaf.free(pin)
    for record in records { Record(address: record).free(pin) }
  }

  /// Hints say where keys at random are, and that nothing is known where keys lie in heaps.
  @Test func hintsTellRegularLeaves() throws {
    var random = TestRandom(4)
    let world = try TreeWorld()
    let pin = try world.context.epochs.pin()
    defer { pin.end() }
    let even = (0..<100).map { number in [UInt8(2 * number), UInt8(random.below(256)), 1] }
    let heaps = (0..<100).map { number in [UInt8(number < 50 ? 1 : 200), UInt8(number), 1] }
    for (keys, isRegular) in [(even, true), (heaps, false)] {
      let records = keys.map { key in
        unsafe key.withUnsafeBytes {
          unsafe Record.build(pin, version: VersionWord.committed, key: ByteView($0), value: nil)
            .address
        }
      }
      let leaf = unsafe records.withUnsafeBufferPointer {
        unsafe LeafBuilder.build(
          pin, $0.baseAddress.unsafelyUnwrapped, count: 100, appendWords: 2, high: nil, right: 0,
          flags: 0)
      }
      let hint = LeafHint.of(leaf)
      #expect(Leaf.record(hint) == leaf.address)
      #expect(LeafHint.count(hint) == 100)
      #expect((hint & LeafHint.regular != 0) == isRegular)
      leaf.free(pin)
      for record in records { Record(address: record).free(pin) }
    }
  }

  @Test func placesLieWithinTheirCount() {
    #expect(LeafHint.place(of: 5, in: 5, 10) == -1)
    #expect(LeafHint.place(of: 0, in: 0, 10) == -1)
    #expect(LeafHint.place(of: 0, in: 1, 10) == 0)
    #expect(LeafHint.place(of: .max - 1, in: .max, 100) == 100)
    #expect(LeafHint.place(of: 1 << 62, in: 1 << 63, 100) == 50)
    #expect(LeafHint.place(of: 3, in: 4, 100) == 75)
  }
}
