#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#elseif canImport(Darwin)
  internal import Darwin
#endif

/// How much memory the process and what the system caches for it may have together.
enum SystemMemory {
  /// Bytes: of the machine, or of the smallest group of processes that this one is in and that is limited.
  static var limit: Int64 {
    var limit = Int64(sysconf(Int32(_SC_PHYS_PAGES))) * Int64(sysconf(Int32(_SC_PAGESIZE)))
    if limit <= 0 { limit = .max }
    #if !canImport(Darwin)
      for line in text("/proc/self/cgroup").split(separator: "\n") {
        // number:controllers:path
        let fields = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
        guard fields.count == 3 else { continue }
        if fields[1].split(separator: ",").contains("memory") {
          limit = min(limit, least("/sys/fs/cgroup/memory", fields[2], "memory.limit_in_bytes"))
        } else if fields[1].isEmpty {
          limit = min(limit, least("/sys/fs/cgroup", fields[2], "memory.max"))
        }
      }
    #endif
    return limit
  }

  /// Of a group and those around it.
  private static func least(_ root: String, _ path: Substring, _ file: String) -> Int64 {
    var least = Int64.max
    var folder = path
    while true {
      let found = text("\(root)\(folder)/\(file)").prefix { $0.isNumber }
      if let limit = Int64(found) { least = min(least, limit) }
      guard let slash = folder.lastIndex(of: "/") else { return least }
      folder = folder[..<slash]
    }
  }

  /// What a file of the system says; empty where there is none.
  private static func text(_ path: String) -> String {
    guard let file = try? RealFileSystem().open(path, .read) else { return "" }
    defer { file.close() }
    return String(decoding: (try? file.readAvailable(at: 0, count: 4096)) ?? [], as: UTF8.self)
  }
}
