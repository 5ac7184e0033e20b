@testable import Luge

/// The databases that are damaged: each kind of record and of file is in one of them. Made anew in every process, and always
/// the same.
enum ImageCatalogue {
  static func all() throws -> [DatabaseImage] {
    [try fresh(), try closed(), try killed(), try apart(), try compressed(), try eras()]
  }

  /// A new database, closed.
  private static func fresh() throws -> DatabaseImage {
    let maker = try ImageMaker(ImageMaker.configuration())
    try maker.close()
    return try maker.image("fresh")
  }

  /// Two trees of several pages and chunks, all of it in images.
  private static func closed() throws -> DatabaseImage {
    let maker = try ImageMaker(ImageMaker.configuration())
    for number in 0..<40 { try maker.put("user\(1000 + 7 * number)", 12) }
    for number in 0..<12 { try maker.put("name \(number)", 30 + number, in: "alpha") }
    try maker.checkpoint()
    for number in 0..<9 { try maker.put("user\(1000 + 21 * number)", 5) }
    try maker.remove("user1007")
    try maker.takeID()
    try maker.close()
    return try maker.image("closed")
  }

  /// Images, fragments, and redo behind them.
  private static func killed() throws -> DatabaseImage {
    let maker = try ImageMaker(ImageMaker.configuration())
    for number in 0..<30 { try maker.put("k\(100 + number)", 10) }
    try maker.checkpoint()
    for number in 0..<10 { try maker.put("k\(100 + 3 * number)", 14) }
    try maker.evict(6)
    try maker.batch(["a", "b", "k110"], 9, in: ["", "beta"])
    try maker.takeID()
    try maker.flush()
    for number in 0..<6 { try maker.put("k\(200 + number)", 20) }
    try maker.remove("k103")
    try maker.flush()
    maker.kill()
    return try maker.image("killed")
  }

  /// Values and a commit that lie apart, in images and in the redo.
  private static func apart() throws -> DatabaseImage {
    let maker = try ImageMaker(ImageMaker.configuration())
    for number in 0..<8 { try maker.put("v\(number)", 180 + 60 * number) }
    try maker.checkpoint()
    for number in 0..<3 { try maker.put("v\(2 * number)", 700) }
    try maker.batch((0..<20).map { "w\($0)" }, 90, in: [""])
    try maker.flush()
    try maker.put("v1", 400)
    try maker.batch((0..<16).map { "x\($0)" }, 100, in: [""])
    try maker.flush()
    maker.kill()
    return try maker.image("apart")
  }

  /// Both codecs, and a tree that was dropped.
  private static func compressed() throws -> DatabaseImage {
    var configuration = ImageMaker.configuration(.zstd(level: 1))
    configuration.pageSize = 1024
    configuration.leafEntries = 24
    let maker = try ImageMaker(configuration)
    try maker.add(tree: "lz4", .lz4)
    for number in 0..<40 {
      try maker.put("key number \(100 + number)", 60, in: number % 2 == 0 ? "" : "lz4")
    }
    try maker.put("gone", 9, in: "gone")
    try maker.checkpoint()
    try maker.drop(tree: "gone")
    for number in 0..<10 { try maker.put("key number \(100 + 2 * number)", 50) }
    try maker.flush()
    maker.kill()
    return try maker.image("compressed")
  }

  /// Three lives, each killed: several eras of redo, none of it in images.
  private static func eras() throws -> DatabaseImage {
    let maker = try ImageMaker(ImageMaker.configuration())
    for life in 0..<3 {
      for number in 0..<8 { try maker.put("e\(life * 5 + number)", 16) }
      try maker.flush()
      maker.kill()
      try maker.open()
    }
    try maker.put("last", 3)
    try maker.flush()
    maker.kill()
    return try maker.image("eras")
  }
}
