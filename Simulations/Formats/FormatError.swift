/// Why a file or a message is not what it should be, in one line.
public struct FormatError: Error, Equatable, Sendable, CustomStringConvertible {
  public var description: String
  public init(_ description: String) { self.description = description }
}
