/// A wrong way to ask for a database: it must be refused, and nothing may come of it.
public enum OpeningMistake: String, CaseIterable, Sendable {
  /// The directory is not there, and nothing is to be made.
  case noDirectory = "without a directory"
  /// The directory is there and holds no database, and nothing is to be made.
  case noDatabase = "without a database"
  /// A new database is wanted where there is one.
  case notNew = "as a new one"
  /// What is fixed for the life of a database is to be otherwise.
  case otherSizes = "with other sizes"
  /// A file bears the directory's name.
  case aFile = "in a file"
}
