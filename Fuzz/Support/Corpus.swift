import Foundation

/// Inputs in files: one input a file, of any name.
enum Corpus {
  /// The files of these paths, and those in them where they are directories, by name.
  static func files(_ paths: [String]) -> [String] {
    var files: [String] = []
    for path in paths {
      var isDirectory: ObjCBool = false
      // The flag is written within the call.
      let isThere = unsafe FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory)
      guard isThere else { continue }
      if !isDirectory.boolValue {
        files.append(path)
        continue
      }
      let names = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
      files += names.filter { !$0.hasPrefix(".") }.sorted().map { path + "/" + $0 }
    }
    return files
  }

  static func read(_ path: String) throws -> [UInt8] {
    [UInt8](try Data(contentsOf: URL(filePath: path)))
  }

  /// Writes inputs under names that their bytes make: the same inputs make the same files.
  static func write(_ inputs: [[UInt8]], to directory: String) throws {
    try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
    for input in inputs {
      let path = directory + "/" + name(input)
      try Data(input).write(to: URL(filePath: path))
    }
  }

  /// 16 hexadecimal digits.
  private static func name(_ input: [UInt8]) -> String {
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325
    for byte in input { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01B3 }
    let digits = String(hash, radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
  }
}
