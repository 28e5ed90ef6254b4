import Columns
import Features
import History
import Objects
import Tables
import Testing

/// One row in, one row out, and never a value from the future: the join over leaves and tails, of datasets keyed in many ways and
/// with random histories, against going through all rows for every label.
@Suite struct StoredJoinTests {
  @Test(arguments: 0..<60) func joinEqualsTheNaiveOne(round: Int) throws {
    let seed = UInt64.random(in: .min ... .max)
    var history = try JoinHistory(seed: seed, shape: JoinHistory.shapes[round % JoinHistory.shapes.count])
    for _ in 0..<Int.random(in: 0...9, using: &history.random) { try history.step() }
    let labels = history.randomLabels()
    let service = try history.service()
    let ranges = [16, 60, 100_000].randomElement(using: &history.random)!
    let training = try TrainingSet.build(service: service, labels: labels, source: history, rangeRowCountMax: ranges)
    let place = "seed \(seed), shape \(history.shape), \(history.model.count) rows, ranges of \(ranges)"
    #expect(training.batch.rowCount == labels.rowCount, "\(place)")
    #expect(training.batch.columns.prefix(4).map(\.scalars) == labels.columns.map(\.scalars), "\(place)")
    var differences: [String] = []
    for row in 0..<labels.rowCount {
      let label = labels.columns.map { $0.scalar(at: row) }
      for (name, wanted) in history.expected(label) {
        let found = try #require(training.batch[name]).scalar(at: row)
        if found != wanted { differences.append("\(name) of \(label) is \(found), expected \(wanted)") }
      }
    }
    #expect(differences.isEmpty, "\(place): \(differences.count) differences, \(differences.prefix(3))")
  }

  @Test func batchesOfLabelsGiveWhatAllOfThemGive() throws {
    for seed in 100..<110 {
      var history = try JoinHistory(seed: UInt64(seed), shape: JoinHistory.shapes[seed % JoinHistory.shapes.count])
      for _ in 0..<4 { try history.step() }
      var labels = history.randomLabels()
      while labels.rowCount < 90 { labels = history.randomLabels() }
      let service = try history.service()
      let whole = try TrainingSet.build(service: service, labels: labels, source: history)
      var run = try TrainingRun(service: service, labels: labels.schema, source: history)
      let parts = try [0..<1, 1..<50, 50..<90].map { try run.join(labels.slice(from: $0.lowerBound, count: $0.count)) }
      #expect(Batch.concatenate(parts).columns.map(\.scalars) == whole.batch.columns.map(\.scalars), "seed \(seed)")
      let manifest = run.manifest(service: .null, datasetRoots: [:], commit: "c")
      #expect(manifest == whole.manifest(service: .null, datasetRoots: [:], commit: "c"), "seed \(seed)")
    }
  }

  /// The histories are only a test as long as they have tails, several partitions and several leaves.
  @Test func historiesHaveTailsAndLeaves() throws {
    var (tails, partitions, leaves) = (0, 0, 0)
    for seed in 1...20 {
      var history = try JoinHistory(seed: UInt64(seed), shape: JoinHistory.shapes[0])
      for _ in 0..<9 {
        try history.step()
        guard let version = history.version else { continue }
        tails = max(tails, version.tails.entries.count)
        partitions = max(partitions, version.partitionNumbers.count)
        leaves = max(leaves, try version.leaves().count)
      }
    }
    #expect(tails >= 2)
    #expect(partitions >= 3)
    #expect(leaves >= 6)
  }
}

/// A dataset with a random history, beside a dictionary of its rows.
struct JoinHistory: FeatureSource {
  struct Shape: Hashable {
    let key: [String]
    var partitioning = Partitioning.none
    var isTimeless = false
    var hasCreated = false
    var filter = false
  }

  static let shapes = [
    Shape(key: ["user", "time", "id"], partitioning: .month), Shape(key: ["user", "region", "time"], partitioning: .day),
    Shape(key: ["region", "user", "time", "id"], partitioning: .month, hasCreated: true, filter: true),
    Shape(key: ["user", "region", "id"], hasCreated: true), Shape(key: ["user", "region", "id"], filter: true),
    Shape(key: ["user", "region"]), Shape(key: ["time", "id", "user"], partitioning: .month),
    Shape(key: ["user", "region"], isTimeless: true), Shape(key: ["region", "user", "id"], isTimeless: true, hasCreated: true),
    Shape(key: ["user", "region", "time", "id"], partitioning: .none, filter: true),
    Shape(key: ["user", "region", "time", "id"], partitioning: .day, hasCreated: true),
  ]

  static let day: Int64 = 86_400_000_000
  static let names = ["user", "region", "time", "id", "created", "amount"]
  let shape: Shape
  let layout: TableLayout
  let archive: Archive
  var random: JoinRandom
  var model: [[Scalar]: [Scalar]] = [:]
  var version: TableVersion?

  init(seed: UInt64, shape: Shape) throws {
    random = JoinRandom(state: seed)
    self.shape = shape
    archive = try Archive.create(on: MemoryVolume(), catalog: Catalog.inMemory())
    let types: [DataType] = [.int32, .string, .timestampMicros, .int64, .timestampMicros, .float64]
    let fields = zip(Self.names, types).map { Field($0, $1, isNullable: $0 == "created" || $0 == "amount") }
    layout = TableLayout(
      schema: FieldIDs.assign(to: Schema(fields)), primaryKey: shape.key, eventTime: shape.isTimeless ? nil : "time",
      createdTime: shape.hasCreated ? "created" : nil, partitioning: shape.partitioning, leafRowCount: 16)
  }

  /// Whether one of the entity's keys is `user` alone.
  private var hasRegion: Bool { shape.key.contains("region") }

  func table(_ dataset: String) throws -> SourceTable {
    SourceTable(
      name: "events", schema: layout.schema, primaryKey: layout.primaryKey, eventTime: layout.eventTime, createdTime: layout.createdTime)
  }

  func rows(_ dataset: String, columns: [String], order: [String]) throws -> Batch {
    guard let version else { return Batch.empty(Schema(columns.map { layout.schema[$0]! })) }
    return try version.rows(columns: columns, order: order)
  }

  func stored(_ dataset: String) throws -> StoredTable? { version.map { StoredTable(version: $0, layout: layout) } }

  func service() throws -> CompiledService {
    let ttl = shape.isTimeless ? "" : "  ttl: 2d\n"
    let filter = shape.filter ? "  where: \"amount is null or amount < 4\"\n" : ""
    let windowed = """
      - {name: count_2d, agg: count, window: 2d}
      - {name: sum_2d, agg: sum, of: amount, window: 2d}
      - {name: max_40d, agg: max, of: amount, window: 40d}
      """
    let all = "- {name: count_all, agg: count, window: all}\n- {name: min_all, agg: min, of: amount, window: all}"
    func view(_ name: String, _ lines: String, _ features: String) -> String {
      "- name: \(name)\n  entity: thing\n  source: events\n\(filter)\(lines)  features:\n"
        + features.split(separator: "\n").map { "  \($0)\n" }.joined()
    }
    let keys = "{name: user, type: int64}" + (hasRegion ? ", {name: region, type: string}" : "")
    var views = [
      view("latest", "", "- {name: id_latest, expr: id}\n- {name: amount_latest, expr: amount}"), view("whole", "", all),
    ]
    if !shape.isTimeless {
      views += [view("fresh", ttl, "- {name: id_fresh, expr: id}"), view("windows", "", windowed)]
      views.append(view("both", "", "- {name: id_both, expr: id}\n- {name: count_1d, agg: count, window: 1d}"))
    }
    let names = ["latest", "whole"] + (shape.isTimeless ? [] : ["fresh", "windows", "both"])
    let yaml = """
      entities:
      - {name: thing, keys: [\(keys)]}
      feature_views:
      \(views.joined())
      feature_services:
      - {name: all, features: [\(names.map { "\"\($0):*\"" }.joined(separator: ", "))]}
      """
    return try DefinitionSet.parse(files: [("f.yaml", yaml)]).compile(service: "all", sources: ["events": table("events")])
  }

  // MARK: History

  private mutating func randomTime() -> Int64 {
    // Half days and months, so that times and windows collide across partitions.
    (Int64.random(in: -30...45, using: &random) + [0, 0, 0, 60].randomElement(using: &random)!) * Self.day / 2
  }

  private mutating func randomRow() -> [Scalar] {
    [
      .int(Int64.random(in: -3...8, using: &random)), .string(["", "a", "b\0", "ä"].randomElement(using: &random)!),
      .timestamp(randomTime(), .microsecond), .int(Int64.random(in: 0...9, using: &random)),
      [.null, .timestamp(0, .microsecond), .timestamp(1, .microsecond)].randomElement(using: &random)!,
      [.null, .double(1), .double(2.5), .double(-3), .double(7)].randomElement(using: &random)!,
    ]
  }

  private func key(_ row: [Scalar]) -> [Scalar] { shape.key.map { row[Self.names.firstIndex(of: $0)!] } }

  mutating func step() throws {
    let count = [3, 10, 120].randomElement(using: &random)!
    var rows: [[Scalar]: [Scalar]] = [:]
    for _ in 0..<count {
      let row = randomRow()
      rows[key(row)] = row
    }
    let isDelete = Int.random(in: 0..<5, using: &random) == 0
    let isAppend = !isDelete && Bool.random(using: &random)
    if isAppend { rows = rows.filter { model[$0.key] == nil } }
    for (key, row) in rows { model[key] = isDelete ? nil : row }
    let policy = TailPolicy(rewrittenRowCountMin: 24, rewrittenRowFactor: 2, mergeCount: 3, sizeClassFactor: 3, foldFactor: 2)
    let writer = TableWriter(archive: archive, layout: layout, policy: Bool.random(using: &random) ? policy : .standard)
    let batch = Batch(
      schema: layout.schema,
      columns: layout.schema.fields.indices.map { column in
        Column(layout.schema.fields[column].type, rows.values.map { $0[column] })
      }, rowCount: rows.count)
    guard case .content(let content) = try writer.apply(isDelete ? .delete : isAppend ? .append : .upsert, batch, onto: version) else {
      throw TableError(.input, "The change conflicts")
    }
    var draft = archive.draft()
    let root = content.addRoot(to: &draft)
    let tip = try archive.refs().first { $0.name == "main" }?.commit
    let commit = Commit(
      parents: tip.map { [$0] } ?? [], datasets: ["events": DatasetRef(root: root, rows: content.rowCount)],
      definitions: draft.addBlob([]), author: "a", message: "m", timeMicros: 1, inputs: [], producer: [:], verdicts: nil)
    let id = draft.addCommit(commit)
    _ = try archive.publish(&draft, commit: id, to: "main", expecting: tip, reason: "test")
    version = try TableVersion(archive: archive, root: root)
  }

  mutating func randomLabels() -> Batch {
    let count = [0, 1, 7, 90].randomElement(using: &random)!
    var rows: [[Scalar]] = []
    for _ in 0..<count {
      let isNull = Int.random(in: 0..<12, using: &random) == 0
      let offset = [Int64(0), 0, 1, -1].randomElement(using: &random)!
      rows.append([
        isNull ? .null : .int(Int64.random(in: -4...9, using: &random)),
        Int.random(in: 0..<12, using: &random) == 0 ? .null : .string(["", "a", "b\0", "ä", "z"].randomElement(using: &random)!),
        .timestamp(randomTime() + offset, .microsecond), .string("kept"),
      ])
    }
    let schema = Schema([
      Field("user", .int64), Field("region", .string), Field("event_timestamp", .timestampMicros), Field("note", .string),
    ])
    let columns = schema.fields.indices.map { column in Column(schema.fields[column].type, rows.map { $0[column] }) }
    return Batch(schema: schema, columns: columns, rowCount: rows.count)
  }

  // MARK: Oracle

  /// What every feature is worth, by going through all rows.
  func expected(_ label: [Scalar]) -> [(String, Scalar)] {
    func micros(_ value: Scalar) -> Int64? { if case .timestamp(let micros, _) = value { micros } else { nil } }
    func isBefore(_ a: Scalar, _ b: Scalar) -> Bool? {
      switch (a, b) {
      case (.null, .null): return nil
      case (.null, _): return true
      case (_, .null): return false
      case (.int(let a), .int(let b)): return a == b ? nil : a < b
      case (.timestamp(let a, _), .timestamp(let b, _)): return a == b ? nil : a < b
      case (.string(let a), .string(let b)): return a == b ? nil : Array(a.utf8).lexicographicallyPrecedes(Array(b.utf8))
      default: return nil
      }
    }
    let time = shape.isTimeless ? 0 : micros(label[2])!
    var order = (shape.isTimeless ? [] : ["time"]) + (shape.hasCreated ? ["created"] : [])
    order += shape.key.filter { !order.contains($0) && $0 != "user" && $0 != "region" }
    let places = order.map { Self.names.firstIndex(of: $0)! }
    let known = model.values.filter { row in
      guard row[0] == label[0], !hasRegion || row[1] == label[1] else { return false }
      if shape.filter, case .double(let amount) = row[5], amount >= 4 { return false }
      return shape.isTimeless || micros(row[2])! <= time
    }.sorted { a, b in
      for place in places { if let result = isBefore(a[place], b[place]) { return result } }
      return false
    }
    func amounts(_ rows: [[Scalar]]) -> [Double] { rows.compactMap { if case .double(let value) = $0[5] { value } else { nil } } }
    func optional(_ value: Double?) -> Scalar { value.map { .double($0) } ?? .null }
    func window(_ days: Int64) -> [[Scalar]] { known.filter { micros($0[2])! > time - days * Self.day } }
    var result: [(String, Scalar)] = [
      ("id_latest", known.last?[3] ?? .null), ("amount_latest", known.last?[5] ?? .null),
      ("count_all", .int(Int64(known.count))), ("min_all", optional(amounts(known).min())),
    ]
    guard !shape.isTimeless else { return result }
    let sums = amounts(window(2))
    result += [
      ("id_fresh", known.last.flatMap { micros($0[2])! >= time - 2 * Self.day ? $0[3] : nil } ?? .null),
      ("count_2d", .int(Int64(window(2).count))), ("sum_2d", sums.isEmpty ? .null : .double(sums.reduce(0, +))),
      ("max_40d", optional(amounts(window(40)).max())), ("id_both", known.last?[3] ?? .null),
      ("count_1d", .int(Int64(window(1).count))),
    ]
    return result
  }
}

/// SplitMix64: a failing seed can be tried again.
struct JoinRandom: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}
