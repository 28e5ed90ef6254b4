import Columns
import JSON
import Testing

@testable import Features

@Suite struct TrainingSetTests {
  private let yaml = """
    entities:
    - {name: user, keys: [{name: user_id, type: int64}]}
    feature_views:
    - name: spend
      entity: user
      source: payments
      description: "Money spent"
      features:
      - {name: last_amount, expr: amount}
      - {name: items_all, agg: sum, of: items, window: all}
      - {name: unused, expr: "cast(note as int64)"}
    - name: profile
      entity: user
      source: profiles
      features: [{name: country, expr: country}]
    feature_services:
    - name: risk
      features:
      - "spend:last_amount"
      - "profile:country"
      - {view: spend, as: sender, join_keys: {user_id: sender}, features: [last_amount]}
    - {name: plain, features: ["spend:last_amount", "profile:country"]}
    - {name: sums, features: ["spend:items_all"]}
    - {name: parsed, features: ["spend:unused"]}
    """

  private func source() -> MemorySource {
    let payments = Schema([
      Field("user_id", .int32), Field("event_timestamp", .timestampMicros), Field("amount", .float64), Field("items", .int64),
      Field("note", .string),
    ])
    let profiles = Schema([Field("user_id", .int64), Field("country", .string)])
    return MemorySource(tables: [
      "payments": (
        SourceTable(name: "payments", schema: payments, primaryKey: ["user_id", "event_timestamp"], eventTime: "event_timestamp"),
        Batch(
          schema: payments,
          columns: [
            Column(.int32, [.int(2), .int(1), .int(1)]), Column(.timestampMicros, [5, 7, 3].map { .timestamp($0, .microsecond) }),
            Column(.float64, [.double(20), .double(17), .double(13)]), Column(.int64, [.int(1), .int(.max), .int(1)]),
            Column(.string, [.string("1"), .string("x"), .string("2")]),
          ], rowCount: 3)
      ),
      "profiles": (
        SourceTable(name: "profiles", schema: profiles, primaryKey: ["user_id"]),
        Batch(schema: profiles, columns: [Column(.int64, [.int(1)]), Column(.string, [.string("DE")])], rowCount: 1)
      ),
    ])
  }

  private func build(_ service: String, _ columns: [(String, Column)], fullNames: Bool = false) throws -> TrainingSet {
    let source = source()
    let definitions = try DefinitionSet.parse(files: [("f.yaml", yaml)])
    let sources = source.tables.mapValues(\.table)
    let compiled = try definitions.compile(service: service, sources: sources, fullNames: fullNames)
    let labels = Batch(
      schema: Schema(columns.map { Field($0.0, $0.1.type) }), columns: columns.map(\.1), rowCount: columns[0].1.count)
    return try TrainingSet.build(service: compiled, labels: labels, options: TrainingOptions(fullNames: fullNames), source: source)
  }

  private func refusal(_ service: String, _ columns: [(String, Column)], fullNames: Bool = false) throws -> String {
    do {
      _ = try build(service, columns, fullNames: fullNames)
      return "accepted"
    } catch let error as FeatureError {
      return "\(error.kind): \(error.text)"
    }
  }

  private let users = ("user_id", Column(.int64, [.int(1), .int(1), .int(3), .int(2)]))
  private let times = ("event_timestamp", Column(.timestampMicros, [7, 6, 9, 5].map { .timestamp($0, .microsecond) }))

  @Test func keepsLabelsAndAddsFeatures() throws {
    let training = try build("plain", [users, times])
    #expect(training.batch.schema.fields.map(\.name) == ["user_id", "event_timestamp", "last_amount", "country"])
    #expect(training.batch["last_amount"]?.scalars == [.double(17), .double(13), .null, .double(20)])
    #expect(training.batch["country"]?.scalars == [.string("DE"), .string("DE"), .null, .null])
  }

  @Test func aliasesReadOtherLabelColumns() throws {
    let senders = ("sender", Column(.int64, [.int(2), .null, .int(1), .int(2)]))
    let training = try build("risk", [users, times, senders], fullNames: true)
    #expect(training.featureNames == ["spend__last_amount", "profile__country", "sender__last_amount"])
    #expect(training.batch["sender__last_amount"]?.scalars == [.double(20), .null, .double(17), .double(20)])
  }

  @Test func floatKeysConvertAndNanosecondsAreFloored() throws {
    let keys = ("user_id", Column(.float64, [.double(1), .double(.nan), .double(2)]))
    let zone = DataType.timestamp(.nanosecond, zone: "Europe/Berlin")
    let stamps = ("event_timestamp", Column(type: zone, [6_999, 9_000, 5_000]))
    let training = try build("plain", [keys, stamps])
    #expect(training.batch["last_amount"]?.scalars == [.double(13), .null, .double(20)])
    #expect(training.batch.schema["event_timestamp"]?.type == zone)
    #expect(training.batch["user_id"]?.type == .float64)
  }

  @Test func timelessServicesNeedNoTime() throws {
    let definitions = try DefinitionSet.parse(files: [("f.yaml", yaml)])
    let service = FeatureService(name: "who", features: [FeatureReference(view: "profile", feature: "country")])
    let compiled = try definitions.compile(service, sources: source().tables.mapValues(\.table))
    let labels = Batch(schema: Schema([Field("user_id", .int64)]), columns: [users.1], rowCount: 4)
    let training = try TrainingSet.build(service: compiled, labels: labels, source: source())
    #expect(training.batch["country"]?.scalars == [.string("DE"), .string("DE"), .null, .null])
    #expect(training.manifest(service: .null, datasetRoots: [:], commit: "c")["timeless_views"] == ["profile"])
  }

  @Test func refusalsNameColumnAndRow() throws {
    #expect(
      try refusal("plain", [("user", users.1), times])
        == "labels: Labels lack column user_id, which is key user_id of entity user in feature view spend"
        || refusal("plain", [("user", users.1), times]).contains("(did you mean user?)"))
    #expect(
      try refusal("plain", [users, ("event_time", times.1)]).hasPrefix("labels: Labels lack the time column event_timestamp"))
    let broken = ("user_id", Column(.float64, [.double(1), .double(1.5)]))
    let two = ("event_timestamp", times.1.slice(from: 0, count: 2))
    #expect(
      try refusal("plain", [broken, two])
        == "labels: Cannot use label column user_id as key user_id of entity user in feature view spend: Cannot convert float64 to int64: "
        + "row 2 holds 1.5, which int64 cannot hold exactly")
    let missing = ("event_timestamp", Column(.timestampMicros, [.timestamp(1, .microsecond), .null]))
    #expect(
      try refusal("plain", [("user_id", users.1.slice(from: 0, count: 2)), missing])
        == "labels: Label time column event_timestamp: expected a time in every row, found null in row 2")
    #expect(
      try refusal("plain", [users, times, ("country", users.1)])
        == "labels: Labels have a column country, and so does the feature of this name; use --full-names")
    #expect(try refusal("plain", [users, times, ("country", users.1)], fullNames: true) == "accepted")
    #expect(
      try refusal("sums", [users, times])
        == "evaluation: Feature view spend: feature items_all: the sum for label row 1 exceeds int64")
    #expect(try refusal("parsed", [users, times]).hasSuffix("; the row has user_id = 1, event_timestamp = 1970-01-01T00:00:00.000007Z"))
  }

  @Test func recipesNameWhatDeterminesTheResult() throws {
    let definitions = try DefinitionSet.parse(files: [("f.yaml", yaml)])
    func recipe(_ training: TrainingSet, _ definitions: DefinitionSet, root: String = "r1") throws -> JSON {
      try training.manifest(service: definitions.definition(ofService: "plain"), datasetRoots: ["payments": .string(root)], commit: "c1")
    }
    let manifest = try recipe(build("plain", [users, times]), definitions)
    let again = try recipe(build("plain", [users, times]), definitions)
    #expect(manifest == again)
    #expect(manifest["recipe"]?.stringValue?.count == 64)
    #expect(manifest["output"]?["rows"] == 4)
    #expect(manifest["output"]?["nulls"] == ["last_amount": 1, "country": 2])
    #expect(try recipe(build("plain", [users, times]), definitions, root: "r2")["recipe"] != manifest["recipe"])
    let described = try DefinitionSet.parse(files: [("f.yaml", yaml.replacing("Money spent", with: "Spendings"))])
    #expect(try recipe(build("plain", [users, times]), described)["recipe"] == manifest["recipe"])
    let other = try DefinitionSet.parse(files: [("f.yaml", yaml.replacing("expr: amount", with: "expr: \"amount + 0\""))])
    #expect(try recipe(build("plain", [users, times]), other)["recipe"] != manifest["recipe"])
    let narrow = ("user_id", Column(.int32, users.1.scalars))
    #expect(try recipe(build("plain", [narrow, times]), definitions)["recipe"] != manifest["recipe"])
  }

  @Test func dropMissingKeepsRowsWithEveryFeature() throws {
    let definitions = try DefinitionSet.parse(files: [("f.yaml", yaml)])
    let compiled = try definitions.compile(service: "plain", sources: source().tables.mapValues(\.table))
    let count = 300
    let keys = Column(.int64, (0..<count).map { .int(Int64($0 % 3)) })
    // Times 2, 3 and 4, a hundred rows each.
    let stamps = Column(.timestampMicros, (0..<count).map { .timestamp(Int64($0 / 100 + 2), .microsecond) })
    let labels = Batch(
      schema: Schema([Field("user_id", .int64), Field("event_timestamp", .timestampMicros)]), columns: [keys, stamps], rowCount: count)
    func run(_ cuts: [Int], dropMissing: Bool = true) throws -> (rows: [[Scalar]], manifest: JSON) {
      var run = try TrainingRun(
        service: compiled, labels: labels.schema, options: TrainingOptions(dropMissing: dropMissing), source: source())
      var parts: [Batch] = []
      for (start, end) in zip([0] + cuts, cuts + [count]) { parts.append(try run.join(labels.slice(from: start, count: end - start))) }
      let manifest = run.manifest(service: .null, datasetRoots: [:], commit: "c")
      #expect(manifest["output"]?["digest"] == .string(BatchDigest.sha256(of: Batch.concatenate(parts))))
      return (parts.flatMap { part in (0..<part.rowCount).map { row in part.columns.map { $0.scalar(at: row) } } }, manifest)
    }
    let (rows, manifest) = try run([])
    let expected = (100..<count).filter { $0 % 3 == 1 }
    #expect(rows.map { $0[0] } == expected.map { _ in .int(1) })
    #expect(rows.map { $0[1] } == expected.map { .timestamp(Int64($0 / 100 + 2), .microsecond) })
    #expect(rows.map { $0[2] } == expected.map { _ in .double(13) })
    #expect(manifest["output"]?["rows"] == 67)
    #expect(manifest["output"]?["nulls"] == ["last_amount": 0, "country": 0])
    // Every row at time 2, and those of the two other users: user 1 alone has a country, and an amount from time 3 on; user 2 has an amount from time 5 on, which no label reaches.
    #expect(manifest["output"]?["dropped"] == ["rows": 233, "nulls": ["last_amount": 233, "country": 200]])
    #expect(manifest["inputs"]?["options"] == ["time_column": "event_timestamp", "full_names": false, "drop_missing": true])
    for cuts in [[1], [64, 65, 128], [100, 200]] {
      let again = try run(cuts)
      #expect(again.rows == rows)
      #expect(again.manifest == manifest)
    }
    let whole = try run([], dropMissing: false)
    #expect(whole.rows.count == count)
    #expect(whole.manifest["output"]?["dropped"] == nil)
    #expect(whole.manifest["inputs"]?["options"] == ["time_column": "event_timestamp", "full_names": false])
    #expect(whole.manifest["inputs"]?["labels"] == manifest["inputs"]?["labels"])
    #expect(whole.manifest["recipe"] != manifest["recipe"])
  }

  @Test func digestsDoNotSeeBatches() {
    let count = 200_000
    let numbers = Column(.int64, (0..<count).map { $0 % 7 == 0 ? .null : .int(Int64($0)) })
    let texts = Column(.string, (0..<count).map { .string("t\($0 % 100)") })
    let fields = [Field("n", .int64), Field("t", .string)]
    let whole = Batch(schema: Schema(fields), columns: [numbers, texts], rowCount: count)
    var digest = BatchDigest(whole.schema)
    var halves = fields.map { BatchDigest(Schema([$0])) }
    for range in [0..<1, 1..<70_000, 70_000..<70_003, 70_003..<200_000] {
      let part = whole.slice(from: range.lowerBound, count: range.count)
      digest.update(part)
      for index in halves.indices {
        halves[index].update(Batch(schema: Schema([fields[index]]), columns: [part.columns[index]], rowCount: range.count))
      }
    }
    #expect(digest.finalized() == BatchDigest.sha256(of: whole))
    #expect(halves[0].joined(with: halves[1]) == BatchDigest.sha256(of: whole))
    #expect(BatchDigest.sha256(of: whole.slice(from: 0, count: count - 1)) != BatchDigest.sha256(of: whole))
  }

  @Test func digestsSeeValuesAndNotBuffers() throws {
    func digest(_ column: Column) -> String {
      BatchDigest.sha256(of: Batch(schema: Schema([Field("a", column.type)]), columns: [column], rowCount: column.count))
    }
    let texts: [Scalar] = [.string("x"), .string("ab"), .null, .string("")]
    #expect(digest(Column(.string, [.string("?")] + texts).slice(from: 1, count: 4)) == digest(Column(.string, texts)))
    #expect(digest(Column(.string, [.string("xa"), .string("b"), .null, .string("")])) != digest(Column(.string, texts)))
    let flags: [Scalar] = [.bool(true), .bool(false), .null]
    #expect(digest(Column(.bool, [.null] + flags).slice(from: 1, count: 3)) == digest(Column(.bool, flags)))
    #expect(digest(Column(.float64, [.double(-0.0)])) == digest(Column(.float64, [.double(0)])))
    #expect(digest(Column(.float64, [.null])) != digest(Column(.float64, [.double(0)])))
  }
}

extension Column {
  fileprivate init(type: DataType, _ ticks: [Int64]) {
    guard case .timestamp(let unit, _) = type else { preconditionFailure("Only timestamps have ticks") }
    self.init(type, ticks.map { .timestamp($0, unit) })
  }
}
