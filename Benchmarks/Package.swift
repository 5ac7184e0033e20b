// swift-tools-version: 6.2
import PackageDescription

// A package of its own, so that the engine's package needs none of the engines it is compared with.
let package = Package(
  name: "benchmarks",
  platforms: [.macOS(.v26)],
  dependencies: [
    .package(name: "luge", path: ".."),
    .package(url: "https://github.com/HdrHistogram/hdrhistogram-swift", from: "0.2.0"),
  ],
  targets: [
    .systemLibrary(
      name: "CLMDB", path: "SystemLibraries/CLMDB", providers: [.apt(["liblmdb-dev"])]),
    .systemLibrary(
      name: "CLevelDB", path: "SystemLibraries/CLevelDB", providers: [.apt(["libleveldb-dev"])]),
    .systemLibrary(
      name: "CRocksDB", path: "SystemLibraries/CRocksDB", providers: [.apt(["librocksdb-dev"])]),
    .systemLibrary(
      name: "CWiredTiger", path: "SystemLibraries/CWiredTiger",
      providers: [.apt(["libwiredtiger-dev"])]),
    .systemLibrary(
      name: "CBenchmarkSQLite", path: "SystemLibraries/CBenchmarkSQLite",
      providers: [.apt(["libsqlite3-dev"])]),
    .executableTarget(
      name: "compare",
      dependencies: [
        .product(name: "Luge", package: "luge"),
        .product(name: "Histogram", package: "hdrhistogram-swift"), "CLMDB", "CLevelDB", "CRocksDB",
        "CWiredTiger",
        "CBenchmarkSQLite",
      ],
      path: "Compare",
      swiftSettings: [
        .enableUpcomingFeature("ExistentialAny"),
        .enableUpcomingFeature("InternalImportsByDefault"),
        .enableUpcomingFeature("MemberImportVisibility"),
      ]),
    .testTarget(name: "CompareTests", dependencies: ["compare"], path: "Tests"),
  ],
  swiftLanguageModes: [.v6]
)
