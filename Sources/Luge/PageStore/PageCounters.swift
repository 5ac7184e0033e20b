import Platform

/// What the page segments were asked to do since the database was opened.
final class PageCounters: Sendable {
  /// Bytes of records appended, by stream.
  let hotBytes = AtomicWord(0)
  let coldBytes = AtomicWord(0)
  /// Bytes handed to the file system: records, headers and padding.
  let bytesWritten = AtomicWord(0)
  /// Records read from files, and their bytes.
  let recordsRead = AtomicWord(0)
  let bytesRead = AtomicWord(0)
  /// Rounds of reads: one for each call, however many records it asked for.
  let readRounds = AtomicWord(0)
  /// Records that were still in a buffer when they were asked for.
  let recordsReadFromBuffers = AtomicWord(0)
  let segmentsRemoved = AtomicWord(0)
  /// Chunks that could not be read when what they name was to be counted or released: from then on
  /// more may count as live than is, until recovery counts anew.
  let chunksUncounted = AtomicWord(0)

  func noteAppend(_ bytes: Int, _ stream: PageStream) {
    switch stream {
    case .hot: _ = hotBytes.fetchAdd(UInt64(bytes))
    case .cold: _ = coldBytes.fetchAdd(UInt64(bytes))
    }
  }
}
