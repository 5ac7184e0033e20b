/// Which segment is worth cleaning: the one that gives most space for the bytes to be moved,
/// and of two that give alike the one whose contents have been quiet for longer.
///
/// By cost and benefit: what is won is the dead share of the segment, and it stays won for longer the
/// older the segment is; what it costs is reading it and writing its live share. In integers, because
/// a simulation's decisions hang on it.
struct CleaningPolicy: Equatable, Sendable {
  /// Per thousand of the bytes of segments that are to be live.
  var target: Int

  /// Nil when enough is live, or no segment can be emptied with profit.
  ///
  /// - Parameters:
  ///   - segments: those that nobody appends to, in the order of serials.
  ///   - excluded: serials not to be chosen, ascending.
  func victim(
    _ segments: [PageSegments.Segment], nextSerial: UInt64, excluded: [UInt64] = []
  ) -> UInt64? {
    var bytes = 0
    var live = 0
    for segment in segments where segment.liveBytes > 0 {
      bytes += segment.fileBytes
      live += segment.liveBytes
    }
    if live * 1000 >= bytes * target { return nil }
    var best: (serial: UInt64, score: Int)?
    for segment in segments
    where segment.liveBytes > 0 && segment.liveBytes * 1000 < segment.fileBytes * target
      // One that holds a single large value has nothing to give, whatever its header's share.
      && segment.liveBytes + PageFormat.blockBytes < segment.fileBytes
      && !excluded.contains(segment.serial)
    {
      let score = score(segment, nextSerial)
      if score > best?.score ?? -1 { best = (segment.serial, score) }
    }
    return best?.serial
  }

  private func score(_ segment: PageSegments.Segment, _ nextSerial: UInt64) -> Int {
    // Segments have less than 2^32 bytes; ages are cut where they make no more difference.
    let age = Int(min(nextSerial - min(segment.serial, nextSerial), 1 << 16)) + 1
    let dead = max(0, segment.fileBytes - segment.liveBytes) >> 10
    return dead * age * 1024 / ((segment.fileBytes + segment.liveBytes) >> 10 + 1)
  }
}
