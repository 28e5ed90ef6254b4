import Columns

@testable import Features

/// What features are worth, by going through all rows for every label.
struct JoinOracle {
  private let shape: JoinShape
  /// In the order of the join: event time, created time, then the rest of the key.
  private let rows: [JoinRow]

  init(_ history: JoinHistory) {
    shape = history.shape
    let layout = history.shape.layout
    var order = (layout.eventTime == nil ? [] : [JoinColumn.time]) + (layout.createdTime == nil ? [] : [.created])
    order += layout.primaryKey.map { JoinColumn(rawValue: $0)! }
    rows = history.model.values.sorted { a, b in
      for column in order {
        // Null, which is nil, comes first.
        switch (a.order(column), b.order(column)) {
        case (nil, nil): continue
        case (nil, _): return true
        case (_, nil): return false
        case (let x?, let y?): if x != y { return x < y }
        }
      }
      return false
    }
  }

  private static func passes(_ filter: JoinFilter, _ row: JoinRow) -> Bool {
    switch filter {
    case .none: true
    case .small: row.amount.map { $0 < 4 } ?? true
    case .flagged: row.flag == true
    case .someIDs: row.id % 3 != 1
    }
  }

  /// The value of a feature for a label, by its own keys (0) or the other ones (1).
  func value(_ feature: JoinFeature, _ label: JoinLabel, keys place: Int) -> Scalar {
    let view = shape.views[feature.view]
    let mine = rows.filter { row in
      for (_, column) in shape.entityKeys {
        let (stored, wanted) = column == .user ? (row.user, label.keys[place].user) : (row.region, label.keys[place].region)
        guard let stored, let wanted, stored == wanted else { return false }
      }
      guard Self.passes(JoinFilter(view.filter), row) else { return false }
      guard shape.isTimeless || row.time <= label.time else { return false }
      return view.knowledge == .whole || (row.created ?? label.time) <= label.time
    }
    switch feature.definition.kind {
    case .expression(let text):
      guard let newest = mine.last, view.ttlMicros.map({ newest.time >= label.time - $0 }) ?? true else { return .null }
      return Self.scalar(newest, text)
    case .aggregate(let function, let of, let window, _):
      let seen = mine.filter { Self.passes(feature.filter, $0) && Self.isInside($0.time, window, label.time) }
      return Self.aggregate(function, of, seen)
    }
  }

  private static func isInside(_ time: Int64, _ window: Window, _ label: Int64) -> Bool {
    switch window {
    case .all: return true
    case .micros(let width): return time > label - width
    case .coarse(let width, let resolution):
      var start = label - width
      start -= (start % resolution + resolution) % resolution
      return time > start
    }
  }

  private static func scalar(_ row: JoinRow, _ column: String) -> Scalar {
    switch column {
    case "id": .int(row.id)
    case "amount": row.amount.map { .double($0) } ?? .null
    default: row.flag.map { .bool($0) } ?? .null
    }
  }

  /// Amounts are halves and few, so that their sums are exact in any order.
  private static func aggregate(_ function: AggregateFunction, _ of: String?, _ rows: [JoinRow]) -> Scalar {
    let column = of ?? "id"
    let numbers = rows.compactMap { column == "id" ? Double($0.id) : $0.amount }
    func number(_ value: Double?) -> Scalar { value.map { column == "id" ? .int(Int64($0)) : .double($0) } ?? .null }
    switch function {
    case .count: return .int(Int64(of == nil ? rows.count : numbers.count))
    case .sum: return number(numbers.isEmpty ? nil : numbers.reduce(0, +))
    case .avg: return numbers.isEmpty ? .null : .double(numbers.reduce(0, +) / Double(numbers.count))
    case .min: return number(numbers.min())
    case .max: return number(numbers.max())
    case .first: return rows.first.map { scalar($0, column) } ?? .null
    case .last: return rows.last.map { scalar($0, column) } ?? .null
    case .lastN(let n): return rows.isEmpty ? .null : .list(rows.suffix(n).reversed().map { scalar($0, column) })
    default: preconditionFailure("No feature has \(function)")
    }
  }
}
