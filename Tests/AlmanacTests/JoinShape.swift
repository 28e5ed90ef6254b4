import Columns
import Tables

@testable import Features

/// A random dataset and random views of it: what a seed decides before the first row.
struct JoinShape {
  /// A value of the column `user`, by the number that the oracle knows it by; numbers and values have one order.
  let userType: DataType
  /// The types of the keys as the entity declares them, and the columns they are bound to.
  let entityKeys: [(key: EntityKey, column: JoinColumn)]
  let layout: TableLayout
  /// Few users and few times collide more often.
  let userCount: Int
  /// One more than there are, so that some are unknown; of truth values there are no more.
  var labelUserCount: Int { userType == .bool ? 2 : userCount + 1 }
  let timeCount: Int
  let features: [JoinFeature]
  let views: [FeatureView]

  static let day: Int64 = 86_400_000_000
  static let regions = ["", "a", "b\0", "ä"]

  var isTimeless: Bool { layout.eventTime == nil }
  var hasCreated: Bool { layout.createdTime != nil }

  init(_ random: inout SplitMix) {
    let types: [DataType] = [
      .bool, .bool, .bool, .int8, .int16, .int32, .int64, .uint8, .uint16, .uint32, .string, .date, .timestampMicros,
    ]
    userType = types.randomElement(using: &random)!
    let userCounts = userType == .bool ? [2] : [2, 7]
    userCount = userCounts.randomElement(using: &random)!
    timeCount = [4, 12, 45].randomElement(using: &random)!
    let isTimeless = Int.random(in: 0..<6, using: &random) == 0
    let hasCreated = Int.random(in: 0..<3, using: &random) > 0
    // Any columns in any order may be the key, as long as there are some.
    var key: [JoinColumn] = []
    while key.isEmpty {
      key = [.user, .region, .time, .id, .created].filter { column in
        let isLikely = column == .user || column == .time
        return Int.random(in: 0..<(isLikely ? 5 : 2), using: &random) > 0
      }
    }
    if Int.random(in: 0..<3, using: &random) == 0 { key.shuffle(using: &random) }
    var keys: [JoinColumn] = [[.user], [.user], [.region], [.user, .region]].randomElement(using: &random)!
    keys.shuffle(using: &random)
    let userType = userType
    entityKeys = keys.map { column in
      let stored = column == .user ? userType : .string
      let declared = stored.isInteger ? [.int64, .int32].randomElement(using: &random)! : stored
      // The same name as the column's, or another.
      let name = Bool.random(using: &random) ? column.rawValue : "the_\(column.rawValue)"
      return (EntityKey(name: name, type: declared), column)
    }
    let fields = JoinColumn.allCases.shuffled(using: &random).map { column in
      Field(column.rawValue, column == .user ? userType : column.type, isNullable: !key.contains(column) && column.isNullable)
    }
    let partitioning: Partitioning =
      !isTimeless && key.contains(.time) ? [.day, .month, .none].randomElement(using: &random)! : .none
    layout = TableLayout(
      schema: FieldIDs.assign(to: Schema(fields)), primaryKey: key.map(\.rawValue), eventTime: isTimeless ? nil : "time",
      createdTime: hasCreated ? "created" : nil, partitioning: partitioning, leafRowCount: 16)
    var features: [JoinFeature] = []
    var views: [FeatureView] = []
    for number in 0..<Int.random(in: 1...3, using: &random) {
      // A view that wants the newest row alone reads the least.
      let wantsNewest = Int.random(in: 0..<3, using: &random) == 0
      let own = (0..<Int.random(in: 1...4, using: &random)).map { place in
        JoinFeature(name: "f\(number)_\(place)", view: views.count, isTimeless: isTimeless, wantsNewest: wantsNewest, &random)
      }
      features += own
      views.append(
        FeatureView(
          name: "v\(number)", entity: "thing", source: "events",
          keys: Dictionary(
            uniqueKeysWithValues: entityKeys.filter { $0.key.name != $0.column.rawValue }.map { ($0.key.name, $0.column.rawValue) }),
          ttlMicros: isTimeless || wantsNewest || Bool.random(using: &random)
            ? nil : [Self.day / 2, Self.day * 2, Self.day * 9].randomElement(using: &random)!,
          filter: (wantsNewest ? [.none, .none, .flagged] : JoinFilter.allCases).randomElement(using: &random)!.text,
          knowledge: hasCreated && Bool.random(using: &random) ? .created : .whole, features: own.map(\.definition)))
    }
    self.features = features
    self.views = views
  }

  func user(_ number: Int) -> Scalar {
    switch userType {
    case .bool: .bool(number == 1)
    case .uint8, .uint16, .uint32: .uint(UInt64(number))
    case .string: .string(String(UnicodeScalar(UInt8(97 + number))))
    case .date: .date(Int32(number - 3))
    case .timestampMicros: .timestamp(Int64(number - 3), .microsecond)
    default: .int(Int64(number - 3))
    }
  }

  /// The same as a label's value: integers in any number type.
  func labelUser(_ number: Int) -> Scalar {
    if case .uint(let value) = user(number) { return .int(Int64(value)) }
    return user(number)
  }

  func service() throws -> CompiledService {
    // Every view under its own name, and the first once more by other columns of the labels.
    var references = features.map { FeatureReference(view: "v\($0.view)", feature: $0.name) }
    for feature in features where feature.view == 0 {
      references.append(
        FeatureReference(
          view: "v0", feature: feature.name, alias: "other",
          joinKeys: Dictionary(uniqueKeysWithValues: entityKeys.map { ($0.key.name, "other_\($0.column.rawValue)") })))
    }
    return try definitions(references).compile(service: "all", sources: ["events": source], fullNames: true)
  }

  /// The views as online images are made of them.
  func compiledViews() throws -> [CompiledView] {
    let definitions = definitions([])
    return try views.map { try definitions.compile(view: $0.name, source: source) }
  }

  private func definitions(_ references: [FeatureReference]) -> DefinitionSet {
    DefinitionSet(
      entities: [Entity(name: "thing", keys: entityKeys.map(\.key))], views: views,
      services: [FeatureService(name: "all", features: references)], places: [:])
  }

  private var source: SourceTable {
    SourceTable(
      name: "events", schema: layout.schema, primaryKey: layout.primaryKey, eventTime: layout.eventTime, createdTime: layout.createdTime)
  }
}

extension JoinShape: CustomStringConvertible {
  var description: String {
    let keys = entityKeys.map { "\($0.key.name) \($0.key.type) of \($0.column.rawValue)" }.joined(separator: ", ")
    let views = views.map { view in
      let features = view.features.map { "\($0.name): \($0.summary)" }.joined(separator: "; ")
      return
        "\(view.name) (ttl \(view.ttlMicros.map { "\($0)" } ?? "none"), where \(view.filter ?? "none"), \(view.knowledge)): \(features)"
    }
    return
      "user \(userType), entity (\(keys)), key \(layout.primaryKey), \(layout.partitioning), event time \(layout.eventTime ?? "none"), "
      + "created time \(layout.createdTime ?? "none"), views \(views.joined(separator: " | "))"
  }
}

enum JoinColumn: String, CaseIterable {
  case user, region, time, id, created, amount, flag

  /// But for `user`, whose type is random.
  var type: DataType {
    switch self {
    case .user, .id: .int64
    case .region: .string
    case .time, .created: .timestampMicros
    case .amount: .float64
    case .flag: .bool
    }
  }

  /// Where it is no key.
  var isNullable: Bool { self != .time && self != .id }
}

/// What `where` says, of a view or of an aggregate.
enum JoinFilter: CaseIterable {
  case none, small, flagged, someIDs

  var text: String? {
    switch self {
    case .none: nil
    case .small: "amount is null or amount < 4"
    case .flagged: "flag"
    case .someIDs: "id % 3 <> 1"
    }
  }

  init(_ text: String?) { self = Self.allCases.first { $0.text == text }! }
}

/// One feature, as defined and as the oracle understands it.
struct JoinFeature {
  let name: String
  /// Index into the shape's views.
  let view: Int
  let definition: FeatureDefinition
  let filter: JoinFilter

  init(name: String, view: Int, isTimeless: Bool, wantsNewest: Bool, _ random: inout SplitMix) {
    self.name = name
    self.view = view
    if wantsNewest || Int.random(in: 0..<3, using: &random) == 0 {
      filter = .none
      definition = FeatureDefinition(name: name, kind: .expression(["id", "amount", "flag"].randomElement(using: &random)!))
      return
    }
    filter = JoinFilter.allCases.randomElement(using: &random)!
    let function: AggregateFunction = [.count, .count, .sum, .avg, .min, .max, .first, .last, .lastN(2)].randomElement(using: &random)!
    let of: String? = function == .count && Bool.random(using: &random) ? nil : ["amount", "id"].randomElement(using: &random)!
    let width = JoinShape.day * [1, 2, 7, 40].randomElement(using: &random)! / 2
    let windows: [Window] = [
      .all, .micros(width), .micros(width), .coarse(width, resolution: JoinShape.day), .coarse(width, resolution: 7),
    ]
    definition = FeatureDefinition(
      name: name,
      kind: .aggregate(function, of: of, window: isTimeless ? .all : windows.randomElement(using: &random)!, filter: filter.text))
  }
}
