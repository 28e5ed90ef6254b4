import Columns
import History
import Objects
import Tables

/// A small table in memory: integer, time and string key, nullable values of several types.
struct TableFixture {
  let archive: Archive
  let layout: TableLayout

  init(leafRowCount: Int = 64) throws {
    archive = try Archive.create(on: MemoryVolume(), catalog: Catalog.inMemory())
    layout = Self.layout(leafRowCount: leafRowCount)
  }

  static func layout(leafRowCount: Int) -> TableLayout {
    let schema = FieldIDs.assign(
      to: Schema([
        Field("user", .int64, isNullable: false), Field("time", .timestampMicros, isNullable: false),
        Field("id", .string, isNullable: false), Field("amount", .float64), Field("note", .string), Field("flag", .bool),
      ]))
    return TableLayout(
      schema: schema, primaryKey: ["user", "time", "id"], eventTime: "time", createdTime: nil, partitioning: .month,
      leafRowCount: leafRowCount)
  }

  typealias Row = [Scalar]

  func batch(_ rows: [Row]) -> Batch {
    Batch(
      schema: layout.schema,
      columns: layout.schema.fields.indices.map { column in
        Column(layout.schema.fields[column].type, rows.map { $0[column] })
      }, rowCount: rows.count)
  }

  static func randomRows(_ count: Int, using random: inout some RandomNumberGenerator) -> [Row] {
    (0..<count).map { number in
      [
        .int(Int64.random(in: -5...40, using: &random)),
        // From 1969-10 to 1970-04: several months on both sides of the epoch.
        .timestamp(Int64.random(in: -7_776_000_000_000...7_776_000_000_000, using: &random), .microsecond),
        .string("k\(number)"),
        [.null, .double(-0.0), .double(.nan), .double(Double.random(in: -1...1, using: &random))].randomElement(using: &random)!,
        [.null, .string(""), .string("žluť\u{0}"), .string("n\(number)")].randomElement(using: &random)!,
        [.null, .bool(true), .bool(false)].randomElement(using: &random)!,
      ]
    }
  }

  /// Applies a change and returns the version that results.
  func apply(_ mode: ChangeMode, _ rows: [Row], onto base: TableVersion?) throws -> TableVersion {
    guard case .content(let content) = try TableWriter(archive: archive, layout: layout).apply(mode, batch(rows), onto: base) else {
      throw TableError(.input, "The change conflicts")
    }
    return try publish(content)
  }

  func publish(_ content: TableContent) throws -> TableVersion {
    var draft = archive.draft()
    let root = content.addRoot(to: &draft)
    let tip = try archive.refs().first { $0.name == "main" }?.commit
    let commit = Commit(
      parents: tip.map { [$0] } ?? [], datasets: ["t": DatasetRef(root: root, rows: content.rowCount)],
      definitions: draft.addBlob([]), author: "a", message: "m", timeMicros: 1, inputs: [], producer: [:], verdicts: nil)
    let id = draft.addCommit(commit)
    _ = try archive.publish(&draft, commit: id, to: "main", expecting: tip, reason: "test")
    return try TableVersion(archive: archive, root: root)
  }
}

/// The ids of a schema's fields by name, as a later schema keeps them.
func ids(of schema: Schema) -> [String: Int32] {
  Dictionary(uniqueKeysWithValues: schema.fields.compactMap { field in field.id.map { (field.name, $0) } })
}

/// A generator whose seed a failing test can print and repeat (SplitMix64).
struct SeededRandom: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}
