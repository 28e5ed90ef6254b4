import Columns
import History
import Objects
import Testing

@testable import Tables

/// Cached projections: what is damaged, torn or missing is noticed and made again.
@Suite struct SortedProjectionTests {
  private let volume = MemoryVolume()
  private let archive: Archive
  private let version: TableVersion
  private let layout = TableFixture.layout(leafRowCount: 64)
  private static let rowCount = 300

  init() throws {
    archive = try Archive.create(on: volume, catalog: Catalog.inMemory())
    var random = SeededRandom(seed: 5)
    let rows = TableFixture.randomRows(Self.rowCount, using: &random)
    let schema = TableFixture.layout(leafRowCount: 64).schema
    let columns = schema.fields.indices.map { column in Column(schema.fields[column].type, rows.map { $0[column] }) }
    let batch = Batch(schema: schema, columns: columns, rowCount: rows.count)
    guard case .content(let content) = try TableWriter(archive: archive, layout: layout).apply(.append, batch, onto: nil) else {
      throw TableError(.input, "The change conflicts")
    }
    var draft = archive.draft()
    let root = content.addRoot(to: &draft)
    let commit = Commit(
      parents: [], datasets: ["t": DatasetRef(root: root, rows: content.rowCount)], definitions: draft.addBlob([]), author: "a",
      message: "m", timeMicros: 1, inputs: [], producer: [:], verdicts: nil)
    let id = draft.addCommit(commit)
    _ = try archive.publish(&draft, commit: id, to: "main", expecting: nil, reason: "test")
    version = try TableVersion(archive: archive, root: root)
  }

  private let columns = ["id", "user", "time", "amount"]

  /// All rows of the projection, as it is read range by range.
  private func rows() throws -> [[Scalar]] {
    let projection = try #require(
      try SortedProjection.open(version, layout: layout, columns: columns, order: ["id", "time", "user"], keyCount: 1, partRowCount: 128))
    let scan = try KeyRangeScan(projection, layout: layout, leadingCount: 1, rowCountMax: 50)
    let fields = columns.map { layout.schema[$0]! }
    var rows: [[Scalar]] = []
    for range in 0..<scan.rangeCount {
      for run in try scan.runs(range, fields: fields) {
        let batch = try run.read(fields)
        rows += (0..<batch.rowCount).map { row in batch.columns.map { $0.scalar(at: row) } }
      }
    }
    return rows
  }

  private func isSame(_ a: [[Scalar]], _ b: [[Scalar]]) -> Bool {
    a.count == b.count && zip(a, b).allSatisfy { zip($0, $1).allSatisfy { "\($0)" == "\($1)" } }
  }

  private func files() throws -> [String: [UInt8]] {
    var files: [String: [UInt8]] = [:]
    for name in try volume.list("cache") { files[name] = try volume.read("cache/\(name)") }
    return files
  }

  @Test func aProjectionIsSortedAndCached() throws {
    let found = try rows()
    #expect(found.count == Self.rowCount)
    #expect(found.map { "\($0[0])" } == found.map { "\($0[0])" }.sorted())
    // Three parts, and what says that they are all.
    let cached = try files()
    let endings = cached.keys.compactMap { name in name.firstIndex(of: "-").map { String(name[$0...]) } }
    #expect(endings.sorted() == ["-0.parquet", "-1.parquet", "-2.parquet"])
    #expect(cached.count == 4)
    #expect(isSame(try rows(), found))
    #expect(try files() == cached)
  }

  /// Every kind of damage to every file gives the same rows, and the files as they were.
  @Test func damagedFilesAreMadeAgain() throws {
    let wanted = try rows()
    let cached = try files()
    let seed = UInt64.random(in: 0...UInt64.max)
    var random = SeededRandom(seed: seed)
    func check(_ name: String, _ bytes: [UInt8]?, _ what: String) throws {
      if let bytes {
        try bytes.withUnsafeBytes { try volume.stage("cache/\(name)", $0) }
      } else {
        try volume.remove("cache/\(name)")
      }
      #expect(isSame(try rows(), wanted), "seed \(seed): \(what) of \(name)")
      #expect(try files() == cached, "seed \(seed): \(what) of \(name)")
    }
    for (name, bytes) in cached.sorted(by: { $0.key < $1.key }) {
      try check(name, nil, "removal")
      try check(name, [], "emptying")
      try check(name, Array(bytes.dropLast()), "the last byte")
      try check(name, Array(bytes.prefix(bytes.count / 2)), "half")
      try check(name, [UInt8](repeating: 0, count: bytes.count), "zeros")
      for _ in 0..<(name.hasSuffix(".parts") ? bytes.count : 40) {
        var damaged = bytes
        let place = Int.random(in: 0..<bytes.count, using: &random)
        damaged[place] ^= UInt8.random(in: 1...255, using: &random)
        try check(name, damaged, "byte \(place)")
      }
    }
  }

  /// One part in the place of another is damage too.
  @Test func exchangedFilesAreMadeAgain() throws {
    let wanted = try rows()
    let parts = try files().filter { $0.key.hasSuffix("-0.parquet") || $0.key.hasSuffix("-1.parquet") }.sorted { $0.key < $1.key }
    for (name, bytes) in zip(parts.map(\.key), parts.map(\.value).reversed()) {
      try bytes.withUnsafeBytes { try volume.stage("cache/\(name)", $0) }
    }
    #expect(isSame(try rows(), wanted))
  }
}
