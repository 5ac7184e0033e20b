/// The files of a database at one moment, as values.
public struct DatabaseImage: Equatable, Sendable {
  public struct File: Equatable, Sendable {
    /// Without its directory.
    public var name: String
    public var bytes: [UInt8]

    public init(name: String, bytes: [UInt8]) {
      self.name = name
      self.bytes = bytes
    }
  }

  /// In ascending order of their names.
  public var files: [File]

  public init(files: [File] = []) { self.files = files }

  public var byteCount: Int { files.reduce(0) { $0 + $1.bytes.count } }
}
