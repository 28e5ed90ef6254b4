import Columns
import Testing

@testable import Features

/// A view that knows rows by creation is worth at t what a view that knows all is worth over the rows created up to t: for every
/// aggregate of every type.
@Suite struct KnowledgeLawTests {
  private struct Known {
    let history: WindowHistory
    /// Per row.
    let created: [Int64?]

    init(seed: UInt64, rowCount: Int) {
      history = WindowHistory(seed: seed, rowCount: rowCount, labelCount: 14)
      var random = SplitMix(seed ^ 1)
      created = history.rows.map { row in
        guard case .timestamp(let time, _) = row[1] else { return nil }
        switch Int.random(in: 0..<6, using: &random) {
        case 0: return nil
        case 1: return time - 5_000
        case 2: return time
        case 3: return time + 6_999 + Int64.random(in: 0...2, using: &random)
        default: return time + Int64.random(in: 0...15, using: &random) * 1000
        }
      }
    }

    /// The rows that are created up to a time; nil for all.
    func source(upTo time: Int64?) -> MemorySource {
      let schema = Schema(WindowHistory.schema.fields + [Field("created", .timestampMicros)])
      let kept = created.indices.filter { row in time.map { time in created[row].map { $0 <= time } ?? true } ?? true }
      let columns = WindowHistory.schema.fields.indices.map { index in
        Column(schema.fields[index].type, kept.map { history.rows[$0][index] })
      }
      let last = Column(.timestampMicros, kept.map { created[$0].map { .timestamp($0, .microsecond) } ?? .null })
      let table = SourceTable(
        name: "events", schema: schema, primaryKey: ["user", "event_timestamp", "id"], eventTime: "event_timestamp", createdTime: "created")
      return MemorySource(tables: ["events": (table, Batch(schema: schema, columns: columns + [last], rowCount: kept.count))])
    }

    func definitions(_ knowledge: Knowledge) -> DefinitionSet {
      var set = history.definitions
      set = DefinitionSet(
        entities: set.entities,
        views: set.views.map { view in
          var view = view
          view.knowledge = knowledge
          view.ttlMicros = 9_000
          view.features.append(FeatureDefinition(name: "newest", kind: .expression("id")))
          return view
        },
        services: set.services.map { service in
          var service = service
          service.features.append(FeatureReference(view: "v", feature: "newest"))
          return service
        }, places: [:])
      return set
    }
  }

  @Test(arguments: 0..<8) func whatIsNotYetCreatedDoesNotExist(round: Int) throws {
    let seed = UInt64.random(in: 0...UInt64.max / 2) * 2 + UInt64(round % 2)
    let known = Known(seed: seed, rowCount: [0, 1, 20, 60][round % 4])
    let source = known.source(upTo: nil)
    let table = try source.table("events")
    let set = known.definitions(.created)
    let labels = known.history.labelBatch
    let training = try TrainingSet.build(
      service: set.compile(service: "all", sources: ["events": table]), labels: labels, source: source)
    let view = try set.compile(view: "v", source: table)
    let events = try ViewEvents.build(view, from: source)
    let whole = try known.definitions(.whole).compile(view: "v", source: table)
    for (row, label) in known.history.labels.enumerated() {
      let past = try ViewEvents.build(whole, from: known.source(upTo: label.time))
      let key = try KeyEncoder.encode([Column(.int64, [.int(label.user)])], row: 0)
      let moment = events.moment(of: key.withUnsafeBytes { events.index.find($0) }, at: label.time)
      let pastMoment = past.moment(of: key.withUnsafeBytes { past.index.find($0) }, at: label.time)
      for (number, feature) in view.features.enumerated() {
        let found = training.batch[feature.name]!.scalar(at: row)
        let wanted = past.value(of: number, at: pastMoment).value
        let place = "seed \(seed): \(view.view.features[number].summary) of user \(label.user) at \(label.time)"
        #expect(found.isSameDeep(as: wanted), "\(place) is \(found), expected \(wanted)")
        let single = events.value(of: number, at: moment).value
        #expect(single.isSameDeep(as: found), "\(place): \(single) alone, \(found) sliding")
      }
    }
  }

  /// Long windows into which events come far out of order, and some never.
  @Test func longWindowsFillOutOfOrder() throws {
    let seed = UInt64.random(in: 0...UInt64.max)
    var random = SplitMix(seed)
    let count = 3_000
    let schema = Schema([
      Field("user", .int64), Field("event_timestamp", .timestampMicros), Field("created", .timestampMicros), Field("amount", .float64),
      Field("items", .int64), Field("name", .string),
    ])
    let rows = (0..<count).map { index -> (time: Int64, created: Int64, item: Int64) in
      let time = Int64(index) * 10
      let delay = ([0, 3, 900, 14_000] as [Int64]).randomElement(using: &random)!
      return (time, time + Int64.random(in: 0...delay, using: &random), Int64.random(in: 0..<9_000, using: &random))
    }
    let table = SourceTable(
      name: "events", schema: schema, primaryKey: ["user", "event_timestamp", "created"], eventTime: "event_timestamp",
      createdTime: "created")
    func source(_ rows: [(time: Int64, created: Int64, item: Int64)]) -> MemorySource {
      let columns = [
        Column(.int64, repeating: .int(1), count: rows.count), Column(.timestampMicros, rows.map { .timestamp($0.time, .microsecond) }),
        Column(.timestampMicros, rows.map { .timestamp($0.created, .microsecond) }),
        Column(.float64, rows.map { .double(Double($0.item * $0.item % 7_919) / 8) }), Column(.int64, rows.map { .int($0.item) }),
        Column(.string, rows.map { .string("\($0.item % 100)") }),
      ]
      return MemorySource(tables: ["events": (table, Batch(schema: schema, columns: columns, rowCount: rows.count))])
    }
    let functions: [AggregateFunction] = [
      .count, .sum, .avg, .min, .max, .stddev, .first, .last, .lastN(100), .approxCountDistinct, .approxQuantile(0.99),
    ]
    var features: [FeatureDefinition] = []
    for function in functions {
      for of in ["amount", "items", "name"] {
        guard function.resultType(of: schema[of]!.type) != nil else { continue }
        features.append(
          FeatureDefinition(
            name: "f\(features.count)", kind: .aggregate(function, of: of, window: .micros(9_000), filter: "items % 5 <> 1")))
      }
    }
    func service(_ knowledge: Knowledge) throws -> CompiledService {
      let view = FeatureView(name: "v", entity: "user", source: "events", knowledge: knowledge, features: features)
      return try DefinitionSet(
        entities: [Entity(name: "user", keys: [EntityKey(name: "user", type: .int64)])], views: [view],
        services: [FeatureService(name: "all", features: features.map { FeatureReference(view: "v", feature: $0.name) })], places: [:]
      ).compile(service: "all", sources: ["events": table])
    }
    let times = (0..<25).map { _ in Int64.random(in: -10...45_000, using: &random) } + [15_000, 15_001, 15_011, 15_900, 16_500]
    let labels = Batch(
      schema: Schema([Field("user", .int64), Field("event_timestamp", .timestampMicros)]),
      columns: [
        Column(.int64, repeating: .int(1), count: times.count), Column(.timestampMicros, times.map { .timestamp($0, .microsecond) }),
      ], rowCount: times.count)
    let training = try TrainingSet.build(service: service(.created), labels: labels, source: source(rows))
    for (row, time) in times.enumerated() {
      let past = try TrainingSet.build(
        service: service(.whole), labels: labels.slice(from: row, count: 1), source: source(rows.filter { $0.created <= time }))
      for feature in features {
        let (found, wanted) = (training.batch[feature.name]!.scalar(at: row), past.batch[feature.name]!.scalar(at: 0))
        #expect(found.isSameDeep(as: wanted), "seed \(seed): \(feature.summary) at \(time) is \(found), expected \(wanted)")
      }
    }
  }
}
