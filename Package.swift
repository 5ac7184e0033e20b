// swift-tools-version: 6.2
import PackageDescription

/// Every target is compiled under the same strict settings.
let strict: [SwiftSetting] = [
  .strictMemorySafety(),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
]

let argumentParser: Target.Dependency = .product(
  name: "ArgumentParser", package: "swift-argument-parser")
let collections: Target.Dependency = .product(name: "Collections", package: "swift-collections")

/// Programs that are killed at work, by folder of CrashTests; "LargeValues" makes crash-large-values. A new one gets a
/// line here.
let crashSubjects = [
  "SequentialWrites",
  "Batches",
  "Iteration",
  "Ids",
  "Trees",
  "LargeValues",
  "Checkpoint",
  "Cleaner",
  "Compression",
]

/// As "crash-large-values".
func crashProgram(_ folder: String) -> String {
  folder.reduce(into: "crash") { name, letter in
    name += letter.isUppercase ? "-" + letter.lowercased() : String(letter)
  }
}

let crashTargets: [Target] = crashSubjects.map { folder in
  .executableTarget(
    name: crashProgram(folder), dependencies: ["CrashSupport", "EngineKit", "HistoryKit"],
    path: "CrashTests/\(folder)", swiftSettings: strict)
}

/// The fuzz targets look inside the engine, so a release build of them is one of its own: ci/fuzz sets this, and so does
/// ci/coverage, without libFuzzer.
let isFuzzing = Context.environment["LUGE_FUZZ"] != nil
let hasLibFuzzer = Context.environment["LUGE_FUZZ"] == "libfuzzer"

/// A target runs on one thread of the system, its threads being fibres: references need no atomic counts.
let oneThread = SwiftSetting.unsafeFlags(["-Xfrontend", "-assume-single-threaded"])
/// What is fuzzed is watched and counted: the engine and the parsers. The harness around them is not, and so as fast as ever.
///
/// Counted are edges; comparisons are not told to libFuzzer, nor the depth of stacks, of which each thread has its own:
/// inputs are made by structure, from dictionaries and with checksums mended, and both took a tenth of the time. Nor are
/// indirect calls, which it keeps only for its value profile, nor the table of places: it would look every edge of each new
/// input up in a set, for the number after `cov:` alone.
let watched: [SwiftSetting] =
  hasLibFuzzer
  ? [
    // Not -sanitize=fuzzer, which would add comparisons again, whatever is asked for.
    .unsafeFlags([
      "-sanitize=address",
      "-sanitize-coverage=edge,inline-8bit-counters",
    ]),
    oneThread,
  ] : []
/// What the targets look inside of.
let looked: [SwiftSetting] = isFuzzing ? [.unsafeFlags(["-enable-testing"])] : []
/// Watched, not counted: what the platform does is no property of an input.
let watchedOnly: [SwiftSetting] =
  hasLibFuzzer ? [.unsafeFlags(["-sanitize=address"])] : []
let watchedC: [CSetting] = hasLibFuzzer ? [.unsafeFlags(["-fsanitize=address"])] : []
/// The harness is written without overlapping accesses, which the tests' builds check.
let harness: [SwiftSetting] =
  strict + (hasLibFuzzer ? [.unsafeFlags(["-enforce-exclusivity=unchecked"]), oneThread] : [])
let fuzzLinking: [LinkerSetting] =
  hasLibFuzzer
  ? [.unsafeFlags(["-sanitize=address", "-sanitize=fuzzer", "-use-ld=lld"])] : []

let fuzzed: [Target.Dependency] = [
  "Luge", "EngineAdapters", "EngineKit", "HistoryKit", "Interleavings", "Platform", "Scenarios",
  "SimulationFormats", "SimulationKit",
]
/// Under libFuzzer a program; without it a test that runs what was found before.
let fuzzTargets: [Target] =
  isFuzzing
  ? [
    .target(name: "CFuzzDriver", path: "Fuzz/Driver"),
    .executableTarget(
      name: "fuzz", dependencies: fuzzed + ["CFuzzDriver"], path: "Fuzz",
      exclude: ["Corpus", "Dictionaries", "Driver", "Tests"],
      swiftSettings: harness + watchedOnly, linkerSettings: fuzzLinking),
  ]
  : [
    .testTarget(
      name: "FuzzTests", dependencies: fuzzed, path: "Fuzz",
      exclude: ["Corpus", "Dictionaries", "Driver", "Runner"], swiftSettings: strict)
  ]

let package = Package(
  name: "luge",
  platforms: [.macOS(.v26)],
  products: [
    .library(name: "Luge", targets: ["Luge"]),
    .library(name: "EngineKit", targets: ["EngineKit"]),
    .library(name: "HistoryKit", targets: ["HistoryKit"]),
    .library(name: "SimulationKit", targets: ["SimulationKit"]),
    .executable(name: "simulate", targets: ["simulate"]),
    .executable(name: "lugectl", targets: ["lugectl"]),
  ] + crashSubjects.map { .executable(name: crashProgram($0), targets: [crashProgram($0)]) },
  traits: [
    .trait(name: "SchedulePoints", description: "Every atomic access is a schedule point."),
    .trait(
      name: "NoSeams",
      description: "No fault points and no probes, to measure what they cost; ci/engine-counters."),
    .trait(name: "SQLite", description: "Build the SQLite adapter (needs libsqlite3-dev)."),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
  ],
  targets: [
    // System libraries.
    .systemLibrary(
      name: "CZstd", path: "Sources/CZstd", pkgConfig: "libzstd",
      providers: [.apt(["libzstd-dev"]), .brew(["zstd"])]),
    .systemLibrary(
      name: "CLZ4", path: "Sources/CLZ4", pkgConfig: "liblz4",
      providers: [.apt(["liblz4-dev"]), .brew(["lz4"])]),
    .systemLibrary(
      name: "CSQLite", path: "Sources/CSQLite", pkgConfig: "sqlite3",
      providers: [.apt(["libsqlite3-dev"]), .brew(["sqlite3"])]),

    // The only door to the world.
    .target(name: "CPlatform", path: "Sources/CPlatform", cSettings: watchedC),
    .target(
      name: "Platform", dependencies: ["CPlatform"], path: "Sources/Platform",
      swiftSettings: strict + watchedOnly),

    // The engine. It never imports the harness.
    // Lifetimes: a cursor's spans are borrowed from it.
    .target(
      name: "Luge", dependencies: ["Platform", "CZstd", "CLZ4"], path: "Sources/Luge",
      swiftSettings: strict + [.enableExperimentalFeature("Lifetimes")] + watched + looked),

    // The harness. It never imports the engine.
    .target(
      name: "EngineKit", dependencies: ["Platform", "CPlatform"], path: "Sources/EngineKit",
      swiftSettings: harness),
    .target(
      name: "HistoryKit", dependencies: ["EngineKit", collections], path: "Sources/HistoryKit",
      swiftSettings: harness + looked),
    .target(
      name: "SimulationKit", dependencies: ["HistoryKit", "EngineKit", "Platform", "CPlatform"],
      path: "Sources/SimulationKit", swiftSettings: harness),

    // Where the two meet.
    .target(
      name: "EngineAdapters",
      dependencies: [
        "Luge", "EngineKit", "HistoryKit", "SimulationKit", "Platform",
        .target(name: "CSQLite", condition: .when(traits: ["SQLite"])),
      ],
      path: "Sources/EngineAdapters", swiftSettings: harness),

    // Tools.
    .executableTarget(
      name: "lugectl", dependencies: ["Luge", argumentParser], path: "Sources/LugeTool",
      swiftSettings: strict),
    .target(
      name: "SimulationFormats", dependencies: ["SimulationKit", "HistoryKit", "EngineKit"],
      path: "Simulations/Formats", swiftSettings: strict + watched),
    .target(
      name: "Scenarios", dependencies: ["SimulationKit", "HistoryKit", "Platform"],
      path: "Simulations/Scenarios", swiftSettings: harness),
    .target(
      name: "CrashRuns", dependencies: ["SimulationKit", "EngineKit"],
      path: "Simulations/CrashStates", swiftSettings: strict),
    .target(
      name: "Interleavings", dependencies: ["SimulationKit"], path: "Simulations/Interleavings",
      swiftSettings: strict),
    .executableTarget(
      name: "simulate",
      dependencies: [
        "Scenarios", "Interleavings", "CrashRuns", "SimulationFormats", "SimulationKit",
        "HistoryKit",
        "EngineKit",
        "EngineAdapters", "Platform", "CPlatform", argumentParser,
      ],
      path: "Simulations/Simulate", swiftSettings: strict),

    // Counts what operations of the engine cost; the comparison with its peers is Benchmarks/Package.swift.
    .executableTarget(
      name: "counters", dependencies: ["Luge", "SimulationKit", "Platform"],
      path: "Benchmarks/Counters", exclude: ["thresholds"], swiftSettings: strict),

    // Real threads, everything at once; for the sanitizers, see ci/sanitize.
    .executableTarget(
      name: "stress", dependencies: ["Luge", "Platform"], path: "Tests/Stress",
      swiftSettings: strict),

    // Real processes, killed at work, on a real disk.
    .target(
      name: "CrashSupport",
      dependencies: ["EngineAdapters", "SimulationKit", "HistoryKit", "EngineKit", "Platform"],
      path: "CrashTests/Support", swiftSettings: strict),

    // Tests, one folder a module.
    .target(
      name: "PlatformTestSupport", dependencies: ["Platform"], path: "Tests/PlatformTestSupport",
      swiftSettings: strict),
    .testTarget(
      name: "PlatformTests", dependencies: ["Platform", "CPlatform", "PlatformTestSupport"],
      path: "Tests/PlatformTests", swiftSettings: strict),
    .testTarget(
      name: "LugeTests", dependencies: ["Luge", "Platform", "CPlatform"], path: "Tests/LugeTests",
      exclude: ["Golden/Version1"], swiftSettings: strict),
    .testTarget(
      name: "HistoryKitTests", dependencies: ["HistoryKit", "EngineKit"],
      path: "Tests/HistoryKitTests", swiftSettings: strict),
    .testTarget(
      name: "SimulationKitTests",
      dependencies: [
        "SimulationKit", "HistoryKit", "EngineKit", "Platform", "CPlatform", "PlatformTestSupport",
      ],
      path: "Tests/SimulationKitTests", swiftSettings: strict),
    .testTarget(
      name: "EngineConformanceTests",
      dependencies: ["EngineAdapters", "HistoryKit", "EngineKit", "Platform"],
      path: "Tests/EngineConformanceTests", swiftSettings: strict),
    .testTarget(
      name: "ScenarioTests",
      dependencies: [
        "Scenarios", "Interleavings", "CrashRuns", "SimulationKit", "HistoryKit", "EngineKit",
        "EngineAdapters", "Platform",
      ],
      path: "Tests/ScenarioTests", swiftSettings: strict),
    .testTarget(
      name: "SimulationFormatsTests",
      dependencies: ["SimulationFormats", "SimulationKit", "HistoryKit", "EngineKit"],
      path: "Tests/SimulationFormatsTests", swiftSettings: strict),
    .testTarget(
      name: "LugeToolTests", dependencies: ["lugectl", "Luge"], path: "Tests/LugeToolTests",
      swiftSettings: strict),
    .testTarget(
      name: "CrashProgramTests",
      dependencies: [
        "CrashSupport", "EngineKit", "Platform",
        "crash-sequential-writes", "crash-batches", "crash-ids", "crash-iteration", "crash-cleaner",
        "simulate",
      ], path: "Tests/CrashProgramTests", swiftSettings: strict),
    .testTarget(
      name: "ReadmeTests", dependencies: ["Luge"], path: "Tests/ReadmeTests",
      swiftSettings: strict),
    // Tests of the house itself: they read the source tree and import nothing of it.
    .testTarget(name: "TidyTests", path: "Tests/TidyTests"),
  ] + crashTargets + fuzzTargets,
  swiftLanguageModes: [.v6]
)
