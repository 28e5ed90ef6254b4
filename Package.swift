// swift-tools-version: 6.2
// One target per room of docs/ARCHITECTURE.md; imports point down the list below, never up.
//
// ALMANAC_ROOM=Parquet swift test    builds one room, the rooms beneath it and its tests, and nothing else:
//                                    rooms without external packages then build in seconds.

import PackageDescription

/// An external package, and the product of it that a room uses.
struct External {
  let package: Package.Dependency
  let product: Target.Dependency
}

let sqlite = External(
  package: .package(url: "https://github.com/groue/GRDB.swift.git", from: "7.10.0"),
  product: .product(name: "GRDB", package: "GRDB.swift"))
let crypto = External(
  package: .package(url: "https://github.com/apple/swift-crypto.git", from: "4.5.2"),
  product: .product(name: "Crypto", package: "swift-crypto"))
let yams = External(
  package: .package(url: "https://github.com/jpsim/Yams.git", from: "6.2.2"),
  product: .product(name: "Yams", package: "Yams"))
let arguments = External(
  package: .package(url: "https://github.com/apple/swift-argument-parser.git", from: "1.8.2"),
  product: .product(name: "ArgumentParser", package: "swift-argument-parser"))
let hummingbird = External(
  package: .package(url: "https://github.com/hummingbird-project/hummingbird.git", from: "2.28.1", traits: []),
  product: .product(name: "Hummingbird", package: "hummingbird"))
let httpClient = External(
  package: .package(url: "https://github.com/swift-server/async-http-client.git", from: "1.37.0"),
  product: .product(name: "AsyncHTTPClient", package: "async-http-client"))
let log = External(
  package: .package(url: "https://github.com/apple/swift-log.git", from: "1.16.2"),
  product: .product(name: "Logging", package: "swift-log"))
let lifecycle = External(
  package: .package(url: "https://github.com/swift-server/swift-service-lifecycle.git", from: "2.13.0"),
  product: .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"))

struct SystemLibrary {
  let name: String
  let pkgConfig: String
  let apt: String
}

let systemLibraries = [
  SystemLibrary(name: "CZstd", pkgConfig: "libzstd", apt: "libzstd-dev"),
  SystemLibrary(name: "CLz4", pkgConfig: "liblz4", apt: "liblz4-dev"),
  SystemLibrary(name: "CSnappy", pkgConfig: "snappy", apt: "libsnappy-dev"),
  SystemLibrary(name: "CZlib", pkgConfig: "zlib", apt: "zlib1g-dev"),
  SystemLibrary(name: "CBrotliDec", pkgConfig: "libbrotlidec", apt: "libbrotli-dev"),
  SystemLibrary(name: "CBrotliEnc", pkgConfig: "libbrotlienc", apt: "libbrotli-dev"),
  SystemLibrary(name: "CXxhash", pkgConfig: "libxxhash", apt: "libxxhash-dev"),
  SystemLibrary(name: "CPcre2", pkgConfig: "libpcre2-8", apt: "libpcre2-dev"),
]

struct Room {
  enum Kind { case library, executable, tool, fuzzer }
  let name: String
  var kind = Kind.library
  /// Where the sources lie, if not in Sources/<name>.
  var path: String?
  /// The files and folders of the path that belong to it, if not all.
  var sources: [String]?
  var exclude: [String] = []
  var rooms: [String] = []
  var system: [String] = []
  var external: [External] = []
  var testRooms: [String] = []
  /// Packages that only the tests use.
  var testExternal: [External] = []
  /// The command line is tested as a process (scripts/test-cli.sh).
  var hasTests: Bool { kind == .library }
}

/// Programs that are no part of the product; built when the environment names one: ALMANAC_ROOM=ColumnarBenchmark.
let tools = [
  Room(
    name: "ColumnarBenchmark", kind: .tool, path: "Benchmarks/Columnar/Sources",
    rooms: ["Columns", "JSON", "Parquet", "Arrow", "TextFormats"]),
  Room(name: "ParquetFuzzer", kind: .fuzzer, path: "Fuzz/Parquet", rooms: ["Columns", "Parquet"]),
  Room(name: "ArrowFuzzer", kind: .fuzzer, path: "Fuzz/Arrow", rooms: ["Columns", "Arrow"]),
  Room(name: "CSVFuzzer", kind: .fuzzer, path: "Fuzz/CSV", rooms: ["Columns", "TextFormats"]),
  // Expressions without the rest of their room and without hashes, which would bring SQLite and BoringSSL with them.
  Room(
    name: "ExpressionsFuzzer", kind: .fuzzer, path: ".",
    sources: [
      "Fuzz/Expressions", "Sources/Features/Expressions", "Sources/Features/Definitions/Suggestion.swift",
      "Sources/Features/Definitions/FeatureError.swift",
    ], exclude: ["Sources/Features/Expressions/Functions/FunctionCatalog+Hashes.swift"], rooms: ["Columns"], system: ["CPcre2"]),
  Room(name: "JSONLinesFuzzer", kind: .fuzzer, path: "Fuzz/JSONLines", rooms: ["Columns", "TextFormats"]),
]

// From the foundation to the roof.
let rooms =
  [
    Room(name: "Columns", system: ["CXxhash"]),
    Room(name: "JSON"),
    Room(
      name: "Parquet", rooms: ["Columns"],
      system: ["CZstd", "CLz4", "CSnappy", "CZlib", "CBrotliDec", "CBrotliEnc", "CXxhash"]),
    Room(name: "Arrow", rooms: ["Columns"], system: ["CZstd", "CLz4"]),
    Room(name: "TextFormats", rooms: ["Columns", "JSON"]),
    Room(name: "Objects", external: [sqlite, crypto]),
    Room(name: "History", rooms: ["Objects", "JSON"], system: ["CXxhash"], external: [crypto]),
    Room(name: "Tables", rooms: ["Columns", "Parquet", "History", "JSON"], external: [crypto], testRooms: ["Objects"]),
    Room(name: "Checks", rooms: ["Columns", "JSON"], system: ["CPcre2"], external: [yams]),
    Room(name: "Features", rooms: ["Columns", "JSON", "Tables", "Checks"], system: ["CPcre2"], external: [yams, crypto]),
    Room(name: "Online", rooms: ["Columns", "JSON", "Features"], external: [crypto]),
    Room(
      name: "Almanac",
      rooms: [
        "Columns", "JSON", "Parquet", "Arrow", "TextFormats", "Objects", "History", "Tables", "Checks", "Features", "Online",
      ],
      external: [crypto], testExternal: [sqlite]),
    Room(
      name: "AlmanacServer", rooms: ["Columns", "JSON", "Online", "Almanac"],
      external: [hummingbird, httpClient, log, lifecycle]),
    Room(
      name: "AlmanacCLI", kind: .executable, rooms: ["Columns", "JSON", "Almanac", "AlmanacServer"],
      external: [arguments, log, lifecycle]),
  ] + tools

/// The rooms to build: all of them, or those under the room that the environment names.
let selected: Set<String> = {
  guard let only = Context.environment["ALMANAC_ROOM"], !only.isEmpty else {
    return Set(rooms.filter { $0.kind != .tool && $0.kind != .fuzzer }.map(\.name))
  }
  var wanted: Set<String> = []
  var queue = [only] + rooms.filter { $0.name == only }.flatMap(\.testRooms)
  while let name = queue.popLast() {
    guard let room = rooms.first(where: { $0.name == name }) else { fatalError("There is no room named \(name)") }
    if wanted.insert(name).inserted { queue += room.rooms }
  }
  return wanted
}()
let tested: Set<String> = Context.environment["ALMANAC_ROOM"].map { [$0] } ?? selected

var settings: [SwiftSetting] = [
  .swiftLanguageMode(.v6),
  .enableUpcomingFeature("ExistentialAny"),
]

// Set by `make check`: a warning in a room is an error; those of packages, and of the testing macros' expansions, are their own.
let testSettings = settings
if Context.environment["ALMANAC_STRICT"] != nil { settings.append(.treatAllWarnings(as: .error)) }

var targets: [Target] = []
var packages: [String: Package.Dependency] = [:]
for room in rooms where selected.contains(room.name) {
  let dependencies: [Target.Dependency] =
    room.rooms.map { .target(name: $0) } + room.system.map { .target(name: $0) } + room.external.map(\.product)
  switch room.kind {
  case .library:
    targets.append(.target(name: room.name, dependencies: dependencies, swiftSettings: settings))
  case .fuzzer:
    // Linked by scripts/fuzz.sh: libFuzzer brings its own `main`.
    targets.append(
      .target(
        name: room.name, dependencies: dependencies, path: room.path, exclude: room.exclude, sources: room.sources, swiftSettings: settings)
    )
  case .executable, .tool:
    targets.append(.executableTarget(name: room.name, dependencies: dependencies, path: room.path, swiftSettings: settings))
  }
  if room.hasTests && tested.contains(room.name) {
    targets.append(
      .testTarget(
        name: "\(room.name)Tests",
        dependencies: [.target(name: room.name)] + dependencies + room.testRooms.map { .target(name: $0) }
          + room.testExternal.map(\.product),
        swiftSettings: testSettings))
  }
  for external in room.external { packages["\(external.product)"] = external.package }
  for library in systemLibraries where room.system.contains(library.name) && !targets.contains(where: { $0.name == library.name }) {
    targets.append(
      .systemLibrary(
        name: library.name, path: "Sources/SystemLibraries/\(library.name)", pkgConfig: library.pkgConfig,
        providers: [.apt([library.apt])]))
  }
}

var products: [Product] = []
if selected.contains("AlmanacCLI") { products.append(.executable(name: "almanac", targets: ["AlmanacCLI"])) }
if selected.contains("Almanac") { products.append(.library(name: "Almanac", targets: ["Almanac"])) }

let package = Package(
  name: "almanac",
  products: products,
  dependencies: Array(packages.values),
  targets: targets
)
