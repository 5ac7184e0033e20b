public import EngineKit
internal import SimulationKit

/// Values that say who wrote them.
public enum CrashValue {
  static func make(life: Int, client: Int, number: Int, part: Int, length: Int) -> Bytes {
    Payload.value(tag: tag(life, client, number, part), length: length)
  }

  /// Text that compresses well, with the same ends.
  public static func text(_ client: CrashClient, _ length: Int) -> Bytes {
    var bytes = client.value(length)
    var place = 8
    while place < length - 8 {
      let word = (place / 7 + client.number) % 13
      bytes[place] = place % 7 == 6 ? 0x20 : 0x61 + UInt8(word)
      place += 1
    }
    return bytes
  }

  /// Bytes that do not compress, with the same ends.
  public static func noise(_ client: CrashClient, _ length: Int) -> Bytes {
    var bytes = client.value(length)
    var generator = SplitMix64(seed: tag(client.life, client.index, client.number, 0))
    var place = 8
    while place < length - 8 {
      bytes[place] = UInt8(truncatingIfNeeded: generator.next())
      place += 1
    }
    return bytes
  }

  private static func tag(_ life: Int, _ client: Int, _ number: Int, _ part: Int) -> UInt64 {
    UInt64(life) << 40 | UInt64(client) << 36 | UInt64(number) << 8 | UInt64(part)
  }
}
