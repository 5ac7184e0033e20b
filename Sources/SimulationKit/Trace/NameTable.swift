/// Numbers names that are given as literals, fast: a name is known by the address of its literal,
/// and only at its first use by its text. One text may have several addresses, as when two modules
/// name it; they get one number.
///
/// Addresses differ from run to run, so they decide nothing but where in the table a name is found.
final class NameTable {
  private(set) var names: [StaticString] = []
  private var hashes: [UInt64] = []

  /// Open addressing by address; a power of two, at most half full. Address 0 is an empty place.
  private var addresses = [UInt](repeating: 0, count: 256)
  private var numbers = [Int32](repeating: 0, count: 256)
  private var used = 0

  /// The number of a name: dense, from 0, in order of first use.
  func number(of name: StaticString) -> Int {
    let address = NameTable.address(of: name)
    let mask = addresses.count - 1
    var place = NameTable.start(address) & mask
    while true {
      let found = addresses[place]
      if found == address { return Int(numbers[place]) }
      if found == 0 { return enter(name, address) }
      place = (place + 1) & mask
    }
  }

  /// A hash of the name's text, the same in every build.
  func contentHash(of name: StaticString) -> UInt64 { hashes[number(of: name)] }

  private static func address(of name: StaticString) -> UInt {
    // Only the address is taken; nothing is read through it.
    unsafe name.hasPointerRepresentation
      ? UInt(bitPattern: name.utf8Start) : UInt(name.unicodeScalar.value) + 1
  }

  private static func start(_ address: UInt) -> Int {
    Int(truncatingIfNeeded: (UInt64(address) &* 0x9E37_79B9_7F4A_7C15) &>> 40)
  }

  private func enter(_ name: StaticString, _ address: UInt) -> Int {
    let text = name.description
    var number = 0
    while number < names.count && names[number].description != text { number += 1 }
    if number == names.count {
      names.append(name)
      var hash: UInt64 = 0xCBF2_9CE4_8422_2325
      for byte in text.utf8 { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01B3 }
      hashes.append(SplitMix64.mix(hash))
    }
    if used * 2 >= addresses.count { grow() }
    place(address, Int32(number))
    return number
  }

  private func place(_ address: UInt, _ number: Int32) {
    let mask = addresses.count - 1
    var place = NameTable.start(address) & mask
    while addresses[place] != 0 { place = (place + 1) & mask }
    addresses[place] = address
    numbers[place] = number
    used += 1
  }

  private func grow() {
    let formerAddresses = addresses
    let formerNumbers = numbers
    addresses = [UInt](repeating: 0, count: formerAddresses.count * 2)
    numbers = [Int32](repeating: 0, count: formerAddresses.count * 2)
    used = 0
    var index = 0
    while index < formerAddresses.count {
      if formerAddresses[index] != 0 { place(formerAddresses[index], formerNumbers[index]) }
      index += 1
    }
  }
}
