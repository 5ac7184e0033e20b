/// An open file with positional I/O. Safe to use from several threads at once.
///
/// `read` and `write` may transfer fewer bytes than asked: callers that need all of them use
/// `readFully` and `writeFully`, which continue.
public protocol File: AnyObject, Sendable {
  var path: String { get }

  /// Reads at `offset` into `buffer`; returns the number of bytes read, 0 at the end of the file.
  func read(into buffer: inout MutableRawSpan, at offset: Int64) throws(PlatformError) -> Int

  /// Writes at `offset`, extending the file where needed; returns the number of bytes taken.
  func write(_ bytes: RawSpan, at offset: Int64) throws(PlatformError) -> Int

  /// Several reads, issued together where the platform can. Each is completed in full;
  /// throws `.endOfFile` where one cannot be. Results are in the order of the requests.
  func readParallel(_ requests: [ReadRequest]) throws(PlatformError) -> [[UInt8]]

  /// Length in bytes.
  func size() throws(PlatformError) -> Int64

  /// Makes contents, and the length needed to read them back, durable (`fdatasync`).
  /// After an error the state of everything unsynced is unknown; never retry and trust.
  func syncData() throws(PlatformError)

  /// Makes contents and all metadata durable (`fsync`).
  func syncAll() throws(PlatformError)

  func truncate(to size: Int64) throws(PlatformError)

  /// Reserves blocks for a range; extends the length.
  func allocate(offset: Int64, length: Int64) throws(PlatformError)

  /// Gives the blocks of a range back; the range then reads as zeros.
  func punchHole(offset: Int64, length: Int64) throws(PlatformError)

  /// Closing twice is harmless. Use after closing throws `.invalidArgument`.
  func close()
}

public struct ReadRequest: Equatable, Sendable {
  public var offset: Int64
  public var length: Int
  public init(offset: Int64, length: Int) {
    self.offset = offset
    self.length = length
  }
}
