/// Numbers names that are given as literals, fast: a name is known by the address of its literal,
/// and only at its first use by its text. One text may have several addresses, as when two modules
/// name it; they get one number.
///
/// Addresses differ from run to run, so they decide nothing but where in the table a name is found.
///
/// Safe: the places never leave this class, and every index is masked by their number.
@safe
final class NameTable {
  /// Where a literal's address is found; address 0 is an empty place.
  private struct Place {
    var address: UInt = 0
    var number = 0
    var contentHash: UInt64 = 0
  }

  /// Names that a tape comes by, at most, as a rule.
  static let usual = 64
  private static let firstPlaces = 2 * usual

  private(set) var names: [StaticString] = []
  private var hashes: [UInt64] = []

  /// Open addressing; `mask` + 1 places, a power of two, at most half full.
  private var places: UnsafeMutablePointer<Place>
  private var mask = NameTable.firstPlaces - 1
  private var used = 0

  init() {
    names.reserveCapacity(NameTable.usual)
    hashes.reserveCapacity(NameTable.usual)
    unsafe places = .allocate(capacity: NameTable.firstPlaces)
    unsafe places.initialize(repeating: Place(), count: NameTable.firstPlaces)
  }

  // Places are plain values: nothing to deinitialize.
  deinit { unsafe places.deallocate() }

  /// The number of a name: dense, from 0, in order of first use.
  func number(of name: StaticString) -> Int { place(of: name).number }

  /// A hash of the name's text, the same in every build.
  func contentHash(of name: StaticString) -> UInt64 { place(of: name).contentHash }

  @inline(__always)
  private func place(of name: StaticString) -> Place {
    // Only the address is taken; nothing is read through it.
    let address =
      unsafe name.hasPointerRepresentation
      ? UInt(bitPattern: name.utf8Start) : UInt(name.unicodeScalar.value) + 1
    var index = NameTable.start(address) & mask
    while true {
      let place = unsafe places[index]
      if place.address == address { return place }
      if place.address == 0 { return enter(name, address) }
      index = (index + 1) & mask
    }
  }

  @inline(__always)
  private static func start(_ address: UInt) -> Int {
    Int(truncatingIfNeeded: (UInt64(address) &* 0x9E37_79B9_7F4A_7C15) &>> 40)
  }

  @inline(never)
  private func enter(_ name: StaticString, _ address: UInt) -> Place {
    let hash = NameTable.hash(name)
    var number = 0
    // Texts are made only where hashes say that they are equal: a table is filled in every run.
    while number < names.count
      && (hashes[number] != hash || names[number].description != name.description)
    {
      number += 1
    }
    if number == names.count {
      names.append(name)
      hashes.append(hash)
    }
    if used * 2 >= mask { grow() }
    let place = Place(address: address, number: number, contentHash: hashes[number])
    insert(place)
    return place
  }

  private static func hash(_ name: StaticString) -> UInt64 {
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325
    // The literal's bytes live as long as the program.
    name.withUTF8Buffer { text in
      var index = 0
      while index < text.count {
        hash = unsafe (hash ^ UInt64(text[index])) &* 0x0000_0100_0000_01B3
        index += 1
      }
    }
    return SplitMix64.mix(hash)
  }

  private func insert(_ place: Place) {
    var index = NameTable.start(place.address) & mask
    while unsafe places[index].address != 0 { index = (index + 1) & mask }
    unsafe places[index] = place
    used += 1
  }

  private func grow() {
    let former = unsafe places
    let formerCount = mask + 1
    unsafe places = .allocate(capacity: formerCount * 2)
    unsafe places.initialize(repeating: Place(), count: formerCount * 2)
    mask = formerCount * 2 - 1
    used = 0
    var index = 0
    while index < formerCount {
      if unsafe former[index].address != 0 { unsafe insert(former[index]) }
      index += 1
    }
    unsafe former.deallocate()
  }
}
